"""Documents → text: PDF, DOCX, ODT, HTML and plain text, in reading order."""

from mailrouter.core.documents.text import DocumentText, to_text

__all__ = ["DocumentText", "to_text"]

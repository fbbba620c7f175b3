"""The sample mails' makers: letters as PDF, a signed container, and the mails that carry them; run by hand."""

"""DDOC (DigiDoc XML 1.0 to 1.3): one XML file with its data files in base64 and the signatures beside them."""

import base64
import binascii

from mailrouter.core.containers.kinds import media_type_of
from mailrouter.core.containers.opened import Contents, Item
from mailrouter.core.containers.signers import xml_signers
from mailrouter.core.containers.xml import parse_xml
from mailrouter.core.headers import clean
from mailrouter.core.outcomes import Defect


def open_ddoc(content: bytes, max_items: int, max_bytes: int) -> Contents:
    """The data files of a DDOC and who signed each. At most `max_items` and `max_bytes`."""
    root = parse_xml(content)
    if root is None:
        return Contents(defects=(Defect("container", "broken DDOC file"),))
    found = xml_signers(root)
    items: list[Item] = []
    defects: list[Defect] = []
    left = max_bytes
    for file in root.iter("{*}DataFile"):
        name = clean(file.get("Filename") or "")[:255].replace("\\", "/").rpartition("/")[2] or "unnamed"
        text = "".join(map(str, file.itertext()))
        if file.get("ContentType") not in {"EMBEDDED_BASE64", "EMBEDDED"}:
            defects.append(Defect("container", f"{name} is not in the DDOC file, only its digest is"))
            continue
        if len(items) >= max_items or len(text) * 3 // 4 > left:
            defects.append(Defect("parts", f"{name} in the DDOC file is beyond the limits: not opened"))
            continue
        try:
            data = base64.b64decode(text) if file.get("ContentType") == "EMBEDDED_BASE64" else text.encode()
        except (binascii.Error, ValueError):
            defects.append(Defect("base64", f"{name} in the DDOC file is damaged"))
            continue
        left -= len(data)
        signers = tuple(signer for signer, _, uris in found if f"#{file.get('Id')}" in uris)
        items.append(Item(name, data, media_type_of(name, (file.get("MimeType") or "").lower()), signers))
    if not found:
        defects.append(Defect("unsigned", "the container has no signature"))
    return Contents(tuple(items), tuple(signer for signer, _, _ in found), tuple(defects))

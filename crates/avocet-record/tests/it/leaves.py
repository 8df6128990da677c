"""Every leaf of an XML file by Python's own reader: path, TAB, JSON of the text. Shares no code with Avocet."""

import json
import sys
import xml.etree.ElementTree as tree


def local(name):
    return name.rsplit("}", 1)[-1]


def leaves(element, path):
    for name, value in element.attrib.items():
        yield f"{path}/@{local(name)}", value
    children = list(element)
    text = (element.text or "") + "".join(child.tail or "" for child in children)
    seen = {}
    for child in children:
        name = local(child.tag)
        seen[name] = seen.get(name, 0) + 1
        step = name if seen[name] == 1 else f"{name}[{seen[name]}]"
        yield from leaves(child, f"{path}/{step}")
    if not children or text.strip():
        yield path, text


root = tree.fromstring(sys.stdin.buffer.read())
for path, text in leaves(root, local(root.tag)):
    print(path + "\t" + json.dumps(text))

# SPDX-License-Identifier: Apache-2.0
"""render: the part of Helm's template language that our chart uses, and no more: a template that uses another is an error.

    {{ .Values.a.b }}  {{ .Release.Name }}  {{ printf "FORMAT" … }}, each piped through toJson and sha256sum
"""
import hashlib
import json
import re

ACTION = re.compile(r"{{-?\s*(.*?)\s*-?}}", re.S)


def value_of(term, values, release):
    if term.startswith("printf "):
        words = re.findall(r'"[^"]*"|\S+', term)[1:]
        return json.loads(words[0]) % tuple(value_of(word, values, release) for word in words[1:])
    if not re.fullmatch(r"\.(Values|Release)(\.\w+)+", term):
        raise ValueError(f"this renderer does not know {term!r}")
    found = {"Values": values, "Release": release}
    for key in term[1:].split("."):
        found = found[key]
    return found


def render(template, values, release):
    def replaced(match):
        action = match.group(1)
        if action.startswith("/*"):
            return ""
        term, *filters = (part.strip() for part in action.split("|"))
        value = value_of(term, values, release)
        for each in filters:
            if each == "toJson":  # as Go's: sorted keys, no blanks
                value = json.dumps(value, sort_keys=True, separators=(",", ":"))
            elif each == "sha256sum":
                value = hashlib.sha256(value.encode()).hexdigest()
            else:
                raise ValueError(f"this renderer does not know {each!r}")
        return str(value)
    return ACTION.sub(replaced, template)

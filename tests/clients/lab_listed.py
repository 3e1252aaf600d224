"""Prints a list of the manager's, a line for each object with the members that are named."""

import json
import sys


def shown(value: object) -> str:
    if isinstance(value, list):
        return " ".join(f"{tag['scope']}={tag['tag']}" for tag in value)
    return str(value)


for one in json.load(sys.stdin)["results"]:
    print(one if isinstance(one, str) else "   ".join(shown(one.get(member, "")) for member in sys.argv[1:]))

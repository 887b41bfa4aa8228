"""Replies as values: what can't be foretold, and where two differ."""
import re


class Any:
    """Stands for what can't be foretold, but must be there, and look so."""

    def __init__(self, pattern=r"(?s).+"):
        self.pattern = pattern

    def __eq__(self, other):
        return isinstance(other, str) and re.fullmatch(self.pattern, other) is not None

    def __repr__(self):
        return f"Any({self.pattern})"


class Unknown:
    """Equal to whatever there is, also to nothing."""

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "Unknown()"


UNKNOWN = Unknown()


def differences(expected, found, place=""):
    """Lines that say where they differ; sets have no order, and nothing is nothing."""
    if isinstance(expected, Unknown):
        return []
    if isinstance(expected, dict) and isinstance(found, dict):
        wrong = []
        for name in sorted({*expected, *found}):
            if not name.startswith("_"):
                wrong += differences(expected.get(name, ""), found.get(name, ""),
                                     f"{place}.{name}")
        return wrong
    if isinstance(expected, list):
        found = found or []
        if not isinstance(found, list):
            return [f"{place}: expected {expected}, got {found}"]
        return set_differences(expected, found, place)
    return [] if expected == found else [f"{place}: expected {expected!r}, got {found!r}"]


def set_differences(expected, found, place):
    found, lost = list(found), []
    for one in expected:
        same = next((other for other in found if not differences(one, other)), None)
        if same is None:
            lost.append(one)
        else:
            found.remove(same)
    if len(lost) == len(found) == 1:
        return differences(lost[0], found[0], f"{place}[]")
    return [f"{place}: missing {one}" for one in lost] + [
        f"{place}: unexpected {other}" for other in found]

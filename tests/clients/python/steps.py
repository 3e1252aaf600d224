"""Named steps: each says on a line of its own whether it passed, and none stops the ones after it."""

import contextlib
import traceback

from vmware_nsxlib.v3 import exceptions

CLIENT = "python"


class Steps:
    """Counts what passed and what failed."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    @contextlib.contextmanager
    def __call__(self, name):
        """Runs the block as the step `name`.

        What the block raises makes the step fail and goes no further. A later step that needs a name
        this one did not reach fails in turn with a NameError, which says as much.
        """
        try:
            yield
        except Exception as error:
            self.failed += 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(f"FAIL {CLIENT}: {name}: {reason} ({place.filename}:{place.lineno})", flush=True)
        else:
            self.passed += 1
            print(f"PASS {CLIENT}: {name}", flush=True)


def note(text):
    """Says something that is neither passed nor failed."""
    print(f"NOTE {CLIENT}: {text}", flush=True)


def equal(actual, wanted, what="value"):
    """Fails unless the two are equal."""
    if actual != wanted:
        raise AssertionError(f"{what} is {actual!r}, wanted {wanted!r}")


def same_members(actual, wanted, what="members"):
    """Fails unless both hold the same things, in any order."""
    equal(sorted(actual), sorted(wanted), what)


@contextlib.contextmanager
def refused(kind, status, code=None):
    """Fails unless the block raises exactly the library's error `kind` with these numbers.

    Exactly: every one of these errors is also a ManagerError, so a subclass would prove less.
    """
    try:
        yield
    except exceptions.ManagerError as error:
        equal(type(error).__name__, kind.__name__, "the error")
        equal(error.status_code, status, "its status")
        if code is not None:
            equal(int(error.error_code), code, "its error_code")
    else:
        raise AssertionError(f"nothing was raised, wanted {kind.__name__}")

"""Says on a line for each task whether it went as it should; nothing else is printed."""

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: steps
type: stdout
short_description: one line for each task
description: Prints PASS or FAIL and the name of every task that calls a module of the collection.
"""

# Modules of Ansible's own, which only lead from one step to the next.
LEADING = ("assert", "include_tasks", "set_fact", "setup")


class CallbackModule(CallbackBase):
    """Prints lines as the other clients' steps do."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "steps"

    def _say(self, result, word, reason=""):
        fields = result._task_fields
        if fields["action"].rsplit(".", 1)[-1] not in LEADING:
            text = " ".join(f": {reason}".split()) if reason else ""
            self._display.display(f"{word} ansible: {fields['name']}{text}")

    def v2_runner_on_ok(self, result):
        self._say(result, "PASS")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        own = result._result
        said = own.get("msg") or own.get("message") or "it said nothing"
        changed = "changed" if own.get("changed") else "not changed"
        self._say(result, "FAIL", f"{changed}: {said} {own.get('module_stderr', '')}")

    def v2_runner_on_unreachable(self, result):
        self._say(result, "FAIL", "unreachable")

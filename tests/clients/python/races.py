"""Two clients that change the same object at the same time."""

import threading

from managers import connect, statuses
from steps import equal, same_members

ROUNDS = 15


def at_once(*works):
    """Runs functions each in a thread of its own, and raises what one of them raised."""
    raised = []

    def guarded(work):
        try:
            work()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if raised:
        raise raised[0]


def refusals(clients, status):
    """How often the clients met a status since last asked."""
    return sum(answers.count(status)
               for client in clients for answers in statuses(client).values())


def run(steps, url):
    clients = []
    with steps("two clients start"):
        clients = [connect([url], max_attempts=50) for _ in range(2)]
    first, second = clients
    with steps("a set that another changed between read and write is read again, nothing is lost"):
        own = first.ip_set.create("py-race", ip_addresses=["10.11.0.1"])["id"]
        reads = []

        def merge(address, before=lambda: None):
            def callback(read, payload):
                before()
                payload["ip_addresses"] = sorted({address, *read["ip_addresses"]})
            return callback

        def other():
            reads.append(None)
            if len(reads) == 1:
                second.ip_set.update(own, update_payload_cbk=merge("10.11.0.3"))

        refusals(clients, 412)
        first.ip_set.update(own, update_payload_cbk=merge("10.11.0.2", before=other))
        equal(len(reads), 2, "reads")
        equal(refusals(clients, 412), 1, "stale updates")
        addresses = first.ip_set.read(own)["ip_addresses"]
        equal(addresses, ["10.11.0.1", "10.11.0.2", "10.11.0.3"])
        first.ip_set.delete(own)
    with steps("a group that two change at once takes every change once, and tells the stale ones"):
        group = first.ns_group.create("py-race", "", [])
        barrier = threading.Barrier(2)

        def changes(client, name):
            def work():
                for turn in range(ROUNDS):
                    barrier.wait()
                    client.ns_group.update(group["id"], description=f"{name} {turn}")
            return work

        at_once(changes(first, "first"), changes(second, "second"))
        revision = first.ns_group.read(group["id"])["_revision"]
        equal(revision - group["_revision"], 2 * ROUNDS, "changes")
        if refusals(clients, 412) == 0:
            raise AssertionError("no update was stale: it was no race")
        first.ns_group.delete(group["id"])
    with steps("rules that two add to a section at once are all in it"):
        api = first.firewall_section
        section = api.create_empty("py-race", "", [], [])["id"]
        barrier.reset()

        def additions(client, name):
            def work():
                for turn in range(ROUNDS):
                    rule = client.firewall_section.get_rule_dict(f"{name} {turn}")
                    barrier.wait()
                    client.firewall_section.add_rule(rule, section)
            return work

        at_once(additions(first, "first"), additions(second, "second"))
        rules = [rule["display_name"] for rule in api.get_rules(section)["results"]]
        same_members(rules, [f"{name} {turn}" for name in ("first", "second")
                             for turn in range(ROUNDS)])
        if refusals(clients, 409) == 0:
            raise AssertionError("no rule was stale: it was no race")
        api.delete(section)

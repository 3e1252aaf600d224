"""What the library makes to expose a service: a profile, a pool, a virtual server."""

from vmware_nsxlib.v3 import exceptions

from steps import equal, refused


def run(steps, nsxlib):
    api = nsxlib.load_balancer
    with steps("a virtual server is made of a profile and a pool with members"):
        profile = api.application_profile.create("py-tcp", resource_type="LbFastTcpProfile")["id"]
        pool = api.pool.create("py-pool", algorithm="ROUND_ROBIN")["id"]
        members = [{"ip_address": "10.11.0.1", "port": "8080", "weight": 1}]
        filled = api.pool.update_pool_with_members(pool, members)
        equal(filled["members"][0]["admin_state"], "ENABLED", "a member's state")
        server = api.virtual_server.create(
            "py-server", application_profile_id=profile, ip_address="10.40.0.1",
            ip_protocol="TCP", ports=["80"],
        )["id"]
        equal(api.virtual_server.update_virtual_server_with_pool(server, pool)["pool_id"], pool)
    with steps("a pool in use is ResourceInUse; after its server it is deleted"):
        with refused(exceptions.ResourceInUse, 400):
            api.pool.delete(pool)
        api.virtual_server.delete(server)
        api.pool.delete(pool)
        api.application_profile.delete(profile)
        with refused(exceptions.ResourceNotFound, 404, 600):
            api.pool.get(pool)

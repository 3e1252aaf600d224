//! The guide's steps.

use super::apis::Apis;
use super::checks::{self, Seen};
use super::{acts, matrix};

/// Looks whether a step is done.
pub type Check = fn(&dyn Apis) -> anyhow::Result<Seen>;
/// Does a step.
pub type Act = fn(&dyn Apis) -> anyhow::Result<()>;

/// One step.
pub struct Step {
    /// Its name in the file of progress.
    pub id: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What to type or click, a line each.
    pub type_this: &'static [&'static str],
    /// What it teaches.
    pub teaches: &'static str,
    /// How to see that it is done. Where a step only looks, what should be there to be seen.
    pub check: Check,
    /// How to do it; nothing where it only looks.
    pub act: Option<Act>,
}

/// All steps, in the guide's order.
pub static STEPS: &[Step] = &[
    Step {
        id: "login",
        title: "Log in to PKS",
        type_this: &["pks login -a pks.corp.local -u pksadmin -p VMware1! -k"],
        teaches: "PKS gives out clusters, UAA gives out tokens. The token is kept in \
                  ~/.pks/creds.yml.",
        check: checks::logged_in,
        act: Some(acts::login),
    },
    Step {
        id: "kubeconfig",
        title: "Fetch the cluster's kubeconfig",
        type_this: &["pks get-kubeconfig ci-cluster -a pks.corp.local -u pksadmin -p VMware1! -k"],
        teaches: "kubectl now knows where the cluster is and what to show it: a server, a user, and a \
                  context that joins the two.",
        check: checks::has_context,
        act: Some(acts::kubeconfig),
    },
    Step {
        id: "context",
        title: "Use it",
        type_this: &["kubectl config use-context ci-cluster"],
        teaches: "What kubectl does from here on, it does in this cluster.",
        check: checks::uses_context,
        act: Some(acts::use_context),
    },
    Step {
        id: "namespaces",
        title: "Create three namespaces",
        type_this: &[
            "kubectl create ns x1",
            "kubectl create ns y1",
            "kubectl create ns z1",
            "kubectl get ns",
        ],
        teaches: "NCP watches the cluster: each namespace gets a network of its own in NSX, with a \
                  subnet, a logical switch, a port of the router and a rule of translation.",
        check: checks::namespaces,
        act: Some(acts::namespaces),
    },
    Step {
        id: "apply",
        title: "Create the four services",
        type_this: &[
            "nsx-sim lab --manifest > micro.yaml",
            "kubectl apply -f micro.yaml",
            "kubectl get all -n x1",
            "kubectl get all -n y1",
            "kubectl get all -n z1",
        ],
        teaches: "Each pod gets a logical port with an address and a firewall of its own, and the \
                  pod's labels become the port's tags.",
        check: checks::applied,
        act: Some(acts::apply),
    },
    Step {
        id: "expose",
        title: "Expose service-a",
        type_this: &[
            "kubectl expose deployment service-a --name=service-a-lb --port=80 \
             --target-port=8080 --type=LoadBalancer --namespace=x1",
            "kubectl get svc -n x1",
        ],
        teaches: "A service of type LoadBalancer becomes a virtual server of NSX, with an address that \
                  is reached from outside.",
        check: checks::exposed,
        act: Some(acts::expose),
    },
    Step {
        id: "outside",
        title: "Reach it from outside",
        type_this: &["nsx-sim curl http://10.40.14.50"],
        teaches: "The load balancer chooses a pod and comes with an address of its own: no firewall of \
                  a pod ever sees the caller's.",
        check: matrix::from_outside,
        act: None,
    },
    Step {
        id: "open",
        title: "Before: everybody reaches everybody",
        type_this: &[
            "kubectl get po -n x1",
            "kubectl get svc -n y1",
            "kubectl exec -n x1 service-a-84965f57cc-nhbrx -it -c busybox -- /bin/sh",
            "curl http://svc-service-b.y1",
            "curl http://svc-service-d.z1",
            "exit",
        ],
        teaches: "The name is looked up at the cluster's DNS, the service's address becomes a pod's on \
                  the node, and the packet passes two firewalls: the sender's and the receiver's. \
                  Only the default rule is there, and it allows.",
        check: matrix::open,
        act: None,
    },
    Step {
        id: "labels",
        title: "See the labels as tags",
        type_this: &[
            "kubectl get pod --show-labels -n x1",
            "kubectl get pod --show-labels -n y1",
            "kubectl get pod --show-labels -n z1",
            "GET /api/v1/logical-ports: the tags of the ports of these pods",
        ],
        teaches: "app=service-a in Kubernetes is a tag service-a of scope app in NSX: what groups are \
                  made of.",
        check: checks::tagged,
        act: None,
    },
    Step {
        id: "groups",
        title: "Make four groups",
        type_this: &[
            "POST /api/v1/ns-groups {\"resource_type\": \"NSGroup\", \"display_name\": \
             \"nsg-service-a\", \"membership_criteria\": [{\"resource_type\": \
             \"NSGroupTagExpression\", \"target_type\": \"LogicalPort\", \"scope\": \"app\", \
             \"tag\": \"service-a\"}]}",
            "the same for service-b, service-c and service-d",
        ],
        teaches: "A group is a question, not a list: the ports that carry the tag, now and later.",
        check: checks::grouped,
        act: Some(acts::groups_of_services),
    },
    Step {
        id: "section",
        title: "A section above all others",
        type_this: &[
            "GET /api/v1/firewall/sections: the id of the first one",
            "POST /api/v1/firewall/sections?operation=insert_before&id=<id> {\"display_name\": \
             \"PtoPDFW-MicroSegmentation\", \"section_type\": \"LAYER3\", \"stateful\": true, \
             \"applied_tos\": the groups of service-b, service-c and service-d}",
        ],
        teaches: "Applied To says whose firewalls get the rules: b, c and d, and not a, which must stay \
                  open to the load balancer.",
        check: checks::sectioned,
        act: Some(acts::section),
    },
    Step {
        id: "rules",
        title: "Five rules, and publish",
        type_this: &[
            "POST /api/v1/firewall/sections/<id>/rules?operation=insert_top, from the last to the \
             first: DenyAll REJECT any to any; service-aToservice-b, service-aToservice-c, \
             service-bToservice-c, service-cToservice-d ALLOW group to group",
        ],
        teaches: "The first rule that matches decides. A rule is added on top, so the last one of the \
                  section is made first.",
        check: checks::ruled,
        act: Some(acts::rules),
    },
    Step {
        id: "isolated",
        title: "After: the table of the guide",
        type_this: &[
            "kubectl exec -n x1 service-a-84965f57cc-nhbrx -it -c busybox -- /bin/sh",
            "curl http://svc-service-b.y1",
            "curl http://svc-service-c.z1",
            "curl http://svc-service-d.z1",
            "exit",
            "and so in a pod of each service",
        ],
        teaches: "A REJECT answers at once: connection refused. What a pod of b, c or d may not send \
                  its own firewall stops, before it is on any wire.",
        check: matrix::isolated,
        act: None,
    },
    Step {
        id: "names",
        title: "Why names fail from b, c and d, and the rule that mends it",
        type_this: &[
            "a group kube-dns: logical ports with tag kube-dns of scope k8s-app",
            "a rule on top of the section: ALLOW from nsg-service-b, nsg-service-c and \
             nsg-service-d to kube-dns, services UDP 53 and TCP 53",
        ],
        teaches: "DenyAll means all: the question to the cluster's DNS is a packet, too. The guide only \
                  ever looks from service-a, which the section is not applied to, and so never met it.",
        check: matrix::by_name,
        act: Some(acts::allow_dns),
    },
    Step {
        id: "moving",
        title: "Pods come and go, the rules stay",
        type_this: &[
            "kubectl scale deployment service-b -n y1 --replicas=3",
            "kubectl get po -n y1 -o wide",
            "GET /api/v1/ns-groups/<nsg-service-b>/effective-ip-address-members",
        ],
        teaches: "The new pod's port carries the tag, so it is in the group and under the rules from \
                  its first packet on.",
        check: matrix::scaled,
        act: Some(acts::scale),
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn steps_have_names_of_their_own_and_something_to_type() {
        let ids: BTreeSet<_> = STEPS.iter().map(|step| step.id).collect();
        assert_eq!(ids.len(), STEPS.len());
        assert!(STEPS.iter().all(|step| !step.type_this.is_empty() && !step.teaches.is_empty()));
    }
}

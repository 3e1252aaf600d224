//! The kinds that are read, with the numbers of the published `generated.proto` files.

/// A member: its number, its name, its type.
pub type Field = (u64, &'static str, Type);

/// The type of a member.
#[derive(Clone, Copy)]
pub enum Type {
    Text,
    /// A number whose zero means that it was not given.
    Number,
    /// A number, zero or not.
    Exact,
    Bool,
    Bytes,
    Time,
    IntOrText,
    One(&'static [Field]),
    /// One whose members stand in JSON among those of the object that has it.
    Inline(&'static [Field]),
    Many(&'static [Field]),
    Texts,
    /// Text by text.
    Map,
    /// Bytes by text.
    Blobs,
}

use Type::{
    Blobs, Bool, Exact, Inline, IntOrText, Many, Map as TextMap, Number, One, Text, Texts, Time,
};

const OWNER: &[Field] = &[
    (1, "kind", Text),
    (3, "name", Text),
    (4, "uid", Text),
    (5, "apiVersion", Text),
    (6, "controller", Bool),
    (7, "blockOwnerDeletion", Bool),
];
const META: &[Field] = &[
    (1, "name", Text),
    (2, "generateName", Text),
    (3, "namespace", Text),
    (4, "selfLink", Text),
    (5, "uid", Text),
    (6, "resourceVersion", Text),
    (7, "generation", Number),
    (8, "creationTimestamp", Time),
    (9, "deletionTimestamp", Time),
    (10, "deletionGracePeriodSeconds", Number),
    (11, "labels", TextMap),
    (12, "annotations", TextMap),
    (13, "ownerReferences", Many(OWNER)),
    (14, "finalizers", Texts),
];
const NAMESPACE: &[Field] = &[
    (1, "metadata", One(META)),
    (2, "spec", One(&[(1, "finalizers", Texts)])),
    (3, "status", One(&[(1, "phase", Text)])),
];
const DELETE_OPTIONS: &[Field] = &[
    (1, "gracePeriodSeconds", Exact),
    (2, "preconditions", One(&[(1, "uid", Text), (2, "resourceVersion", Text)])),
    (3, "orphanDependents", Bool),
    (4, "propagationPolicy", Text),
    (5, "dryRun", Texts),
];
const CONFIG_MAP: &[Field] = &[
    (1, "metadata", One(META)),
    (2, "data", TextMap),
    (3, "binaryData", Blobs),
    (4, "immutable", Bool),
];
const SECRET: &[Field] = &[
    (1, "metadata", One(META)),
    (2, "data", Blobs),
    (3, "type", Text),
    (4, "stringData", TextMap),
    (5, "immutable", Bool),
];
const SERVICE_ACCOUNT: &[Field] = &[
    (1, "metadata", One(META)),
    (3, "imagePullSecrets", Many(&[(1, "name", Text)])),
    (4, "automountServiceAccountToken", Bool),
];
const SELECTOR: &[Field] = &[
    (1, "matchLabels", TextMap),
    (2, "matchExpressions", Many(&[(1, "key", Text), (2, "operator", Text), (3, "values", Texts)])),
];
const CONTAINER: &[Field] = &[
    (1, "name", Text),
    (2, "image", Text),
    (3, "command", Texts),
    (4, "args", Texts),
    (5, "workingDir", Text),
    (
        6,
        "ports",
        Many(&[
            (1, "name", Text),
            (2, "hostPort", Number),
            (3, "containerPort", Number),
            (4, "protocol", Text),
            (5, "hostIP", Text),
        ]),
    ),
    (7, "env", Many(&[(1, "name", Text), (2, "value", Text)])),
    (8, "resources", One(&[])),
    (13, "terminationMessagePath", Text),
    (14, "imagePullPolicy", Text),
    (16, "stdin", Bool),
    (17, "stdinOnce", Bool),
    (18, "tty", Bool),
    (20, "terminationMessagePolicy", Text),
];
const POD_SPEC: &[Field] = &[
    (2, "containers", Many(CONTAINER)),
    (3, "restartPolicy", Text),
    (4, "terminationGracePeriodSeconds", Exact),
    (5, "activeDeadlineSeconds", Exact),
    (6, "dnsPolicy", Text),
    (7, "nodeSelector", TextMap),
    (8, "serviceAccountName", Text),
    (9, "serviceAccount", Text),
    (10, "nodeName", Text),
    (11, "hostNetwork", Bool),
    (12, "hostPID", Bool),
    (13, "hostIPC", Bool),
    (14, "securityContext", One(&[])),
    (15, "imagePullSecrets", Many(&[(1, "name", Text)])),
    (16, "hostname", Text),
    (17, "subdomain", Text),
    (19, "schedulerName", Text),
    (20, "initContainers", Many(CONTAINER)),
];
const DEPLOYMENT: &[Field] = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (1, "replicas", Exact),
            (2, "selector", One(SELECTOR)),
            (3, "template", One(&[(1, "metadata", One(META)), (2, "spec", One(POD_SPEC))])),
            (
                4,
                "strategy",
                One(&[
                    (1, "type", Text),
                    (
                        2,
                        "rollingUpdate",
                        One(&[(1, "maxUnavailable", IntOrText), (2, "maxSurge", IntOrText)]),
                    ),
                ]),
            ),
            (5, "minReadySeconds", Number),
            (6, "revisionHistoryLimit", Exact),
            (7, "paused", Bool),
            (9, "progressDeadlineSeconds", Exact),
        ]),
    ),
    (3, "status", One(&[])),
];
const SERVICE: &[Field] = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (
                1,
                "ports",
                Many(&[
                    (1, "name", Text),
                    (2, "protocol", Text),
                    (3, "port", Number),
                    (4, "targetPort", IntOrText),
                    (5, "nodePort", Number),
                    (6, "appProtocol", Text),
                ]),
            ),
            (2, "selector", TextMap),
            (3, "clusterIP", Text),
            (4, "type", Text),
            (5, "externalIPs", Texts),
            (7, "sessionAffinity", Text),
            (8, "loadBalancerIP", Text),
            (9, "loadBalancerSourceRanges", Texts),
            (10, "externalName", Text),
            (11, "externalTrafficPolicy", Text),
            (12, "healthCheckNodePort", Number),
            (13, "publishNotReadyAddresses", Bool),
            (18, "clusterIPs", Texts),
            (22, "internalTrafficPolicy", Text),
        ]),
    ),
    (3, "status", One(&[(1, "loadBalancer", One(&[]))])),
];
const INGRESS_BACKEND: &[Field] = &[
    (3, "resource", One(&[(1, "apiGroup", Text), (2, "kind", Text), (3, "name", Text)])),
    (
        4,
        "service",
        One(&[(1, "name", Text), (2, "port", One(&[(1, "name", Text), (2, "number", Number)]))]),
    ),
];
const INGRESS_PATH: &[Field] =
    &[(1, "path", Text), (2, "backend", One(INGRESS_BACKEND)), (3, "pathType", Text)];
const INGRESS: &[Field] = &[
    (1, "metadata", One(META)),
    (
        2,
        "spec",
        One(&[
            (1, "defaultBackend", One(INGRESS_BACKEND)),
            (2, "tls", Many(&[(1, "hosts", Texts), (2, "secretName", Text)])),
            (
                3,
                "rules",
                Many(&[
                    (1, "host", Text),
                    (
                        2,
                        "ingressRuleValue",
                        Inline(&[(1, "http", One(&[(1, "paths", Many(INGRESS_PATH))]))]),
                    ),
                ]),
            ),
            (4, "ingressClassName", Text),
        ]),
    ),
    (3, "status", One(&[(1, "loadBalancer", One(&[]))])),
];
const EVICTION: &[Field] = &[(1, "metadata", One(META)), (2, "deleteOptions", One(DELETE_OPTIONS))];

/// The kinds that are read.
pub const KINDS: [(&str, &[Field]); 9] = [
    ("Namespace", NAMESPACE),
    ("ConfigMap", CONFIG_MAP),
    ("Secret", SECRET),
    ("ServiceAccount", SERVICE_ACCOUNT),
    ("Deployment", DEPLOYMENT),
    ("Service", SERVICE),
    ("Ingress", INGRESS),
    ("Eviction", EVICTION),
    ("DeleteOptions", DELETE_OPTIONS),
];

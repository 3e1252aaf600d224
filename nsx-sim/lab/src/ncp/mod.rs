//! The container plugin: from Kubernetes objects to logical switches, ports, load balancers and sections, as a client of both APIs.

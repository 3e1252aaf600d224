//! What runs in a pod: a shell with its tools, and the network that they see.

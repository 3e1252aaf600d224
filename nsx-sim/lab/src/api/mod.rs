//! The Kubernetes API server: a store of objects and what kubectl asks of it.

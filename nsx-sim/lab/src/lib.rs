//! The lab: a small Kubernetes cluster whose pods hang on a simulated NSX-T.
//!
//! It is what the guide "TKGI workload isolation using NSX-T micro segmentation" is typed against:
//! a Kubernetes API that kubectl takes for a cluster, containers that can be entered, an NCP that
//! makes logical ports of pods, and stand-ins for the PKS command and its API.
//!
//! A crate of its own, so that the compiler keeps the arrow: the lab knows managers and clusters by
//! their public HTTP APIs alone. Whether a packet of a pod passes, it asks the manager.

pub mod api;
pub mod controllers;
mod kubeconfig;
pub mod ncp;
pub mod pins;
pub mod pks;
pub mod pod;
mod ports;
pub mod serve;
pub mod spdy;
mod tls;
pub mod walk;
mod yaml;

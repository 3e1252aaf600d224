//! Service insertion: partners' services, where they are deployed and what is sent through them
//! [spec ServiceDefinition].
//!
//! Configuration only: no appliance is deployed and no packet takes a detour (docs/fidelity.md).

pub mod attachment;
pub mod chain;
pub mod deployment;
pub mod instance;
pub mod manager;
mod parts;
pub mod profile;
pub mod section;
pub mod service;
pub mod status;

//! Virtual private networks: IPsec and layer 2 [spec IPSecVPNService, L2VpnService].
//!
//! Configuration only: no packet is encrypted here and no peer answers.

pub mod endpoint;
pub mod l2;
pub mod profile;
pub mod service;
pub mod session;

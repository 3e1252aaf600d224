//! Export of flow records to collectors, IPFIX: who collects, what is sampled, where.
//!
//! Configuration only: no record is sent (docs/fidelity.md).

pub mod config;
pub mod profile;

use crate::kinds::values::Formed;
use crate::wire::{Int, Items, int};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;

/// Where records go [spec IpfixCollector].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collector {
    collector_ip_address: Formed<IpAddr>,
    #[serde(default = "int::<4739, 0, 65_535>")]
    collector_port: Int<0, 65_535>,
}

/// As many collectors as a profile takes.
pub type Collectors = Items<Collector, 4, 1>;

/// The name of the exporting process in its records.
pub type DomainId = Int<0, { u32::MAX as i64 }>;

/// Which of several profiles counts: the lowest number.
pub type Priority = Int<0, 65_536>;

/// Seconds after which a flow is reported.
pub type Timeout = Int<60, 3600>;

/// The most flows that an exporter keeps.
pub type MaxFlows = Int<0, { u32::MAX as i64 }>;

/// The share of packets that are looked at, in percent: above 0, at most 100, with three decimals
/// [spec IpfixSwitchUpmProfile.packet_sample_probability].
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct SampleProbability(f64);

impl Default for SampleProbability {
    fn default() -> Self {
        Self(0.1)
    }
}

impl<'de> Deserialize<'de> for SampleProbability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if !(value > 0.0 && value <= 100.0) {
            return Err(D::Error::custom("must be above 0 and at most 100"));
        }
        let thousandths = value * 1000.0;
        if (thousandths - thousandths.round()).abs() > 1e-6 {
            return Err(D::Error::custom("can have three decimal places at most"));
        }
        Ok(Self(value))
    }
}

impl JsonSchema for SampleProbability {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "SampleProbability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 100 })
    }
}

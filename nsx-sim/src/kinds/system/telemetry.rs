//! What would be told to the maker, and by way of which proxy [spec TelemetryConfig, Proxy]. Nothing
//! leaves the process: it is kept and read back.

use super::the_one;
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::fabric::secret::Secret;
use crate::kinds::values::{Formed, Host};
use crate::wire::{Int, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether the agreement was shown.
pub static AGREEMENT: Kind =
    the_one::<TelemetryAgreement>("TelemetryAgreement", "/telemetry/agreement");
/// Whether, when and how to tell.
pub static CONFIG: Kind = the_one::<TelemetryConfig>("TelemetryConfig", "/telemetry/config");
/// The proxy of all that calls out.
pub static PROXY: Kind = the_one::<Proxy>("Proxy", "/proxy/config");

/// The agreement.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryAgreement {
    telemetry_agreement_displayed: bool,
}

impl Resource for TelemetryAgreement {}

/// The programme.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    ceip_acceptance: bool,
    schedule_enabled: bool,
    telemetry_schedule: Option<Schedule>,
    #[serde(default)]
    proxy_enabled: bool,
    telemetry_proxy: Option<TelemetryProxy>,
}

impl Resource for TelemetryConfig {}

#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum Schedule {
    DailyTelemetrySchedule(Daily),
    WeeklyTelemetrySchedule(Weekly),
    MonthlyTelemetrySchedule(Monthly),
}

polymorphic!(Schedule by "frequency_type" {
    DailyTelemetrySchedule, WeeklyTelemetrySchedule, MonthlyTelemetrySchedule,
});

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Daily {
    hour_of_day: Int<0, 23>,
    #[serde(default = "int::<0, 0, 59>")]
    minutes: Int<0, 59>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Weekly {
    day_of_week: Day,
    hour_of_day: Int<0, 23>,
    #[serde(default = "int::<0, 0, 59>")]
    minutes: Int<0, 59>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Monthly {
    day_of_month: Int<1, 31>,
    hour_of_day: Int<0, 23>,
    #[serde(default = "int::<0, 0, 59>")]
    minutes: Int<0, 59>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Day {
    Sunday,
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TelemetryProxy {
    scheme: Scheme,
    hostname: Formed<Host>,
    port: i32,
    username: Option<String>,
    password: Option<Secret>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Scheme {
    Http,
    Https,
}

/// The proxy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Proxy {
    enabled: bool,
    scheme: Option<Scheme>,
    host: Option<Formed<Host>>,
    port: Option<i32>,
    username: Option<String>,
    password: Option<Secret>,
}

impl Resource for Proxy {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.enabled && self.host.is_none() {
            return Err(Error::field("host", "is required where the proxy is enabled"));
        }
        Ok(())
    }
}

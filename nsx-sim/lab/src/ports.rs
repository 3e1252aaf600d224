//! Ports of containers.

use k8s_openapi::api::core::v1::ContainerPort;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The number of a port that is told by itself, or by the name that the first of some ports with it has.
pub fn number<'a>(
    told: &IntOrString,
    mut ports: impl Iterator<Item = &'a ContainerPort>,
) -> Option<u16> {
    let number = match told {
        IntOrString::Int(number) => *number,
        IntOrString::String(name) => {
            ports.find(|own| own.name.as_ref() == Some(name))?.container_port
        }
    };
    number.try_into().ok()
}

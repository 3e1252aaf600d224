//! Objects as the cluster's API tells them, of whatever kind.
//!
//! A client, a watch and a patch are the same for all kinds, and large. So they know objects as JSON with
//! metadata and exist once in the program; a kind's generated type is read from that JSON, by one reader.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, ApiResource};
use kube::core::DynamicResourceScope;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;
use std::borrow::Cow;

/// An object of a kind that is named when the program runs.
#[derive(Clone, Debug)]
pub struct Told {
    metadata: ObjectMeta,
    object: Value,
}

impl Told {
    /// The object as its generated type.
    ///
    /// # Errors
    /// Where it is none of that type.
    pub fn read<K: DeserializeOwned>(&self) -> Result<K, serde_json::Error> {
        K::deserialize(&self.object)
    }
}

impl<'de> Deserialize<'de> for Told {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let object = Value::deserialize(input)?;
        let metadata = object.get("metadata").unwrap_or(&Value::Null);
        let metadata = Option::deserialize(metadata).map_err(D::Error::custom)?;
        Ok(Self { metadata: metadata.unwrap_or_default(), object })
    }
}

impl kube::Resource for Told {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(own: &ApiResource) -> Cow<'_, str> {
        own.kind.as_str().into()
    }

    fn group(own: &ApiResource) -> Cow<'_, str> {
        own.group.as_str().into()
    }

    fn version(own: &ApiResource) -> Cow<'_, str> {
        own.version.as_str().into()
    }

    fn api_version(own: &ApiResource) -> Cow<'_, str> {
        own.api_version.as_str().into()
    }

    fn plural(own: &ApiResource) -> Cow<'_, str> {
        own.plural.as_str().into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}

/// A kind of objects of the cluster.
pub trait Kind:
    kube::Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static
{
}

impl<K: kube::Resource<DynamicType = ()> + DeserializeOwned + Send + Sync + 'static> Kind for K {}

/// The calls about one kind, in all namespaces.
pub fn everywhere<K: Kind>(client: &kube::Client) -> Api<Told> {
    Api::all_with(client.clone(), &ApiResource::erase::<K>(&()))
}

/// The calls about one kind, in one namespace.
pub fn within<K: Kind>(client: &kube::Client, namespace: &str) -> Api<Told> {
    Api::namespaced_with(client.clone(), namespace, &ApiResource::erase::<K>(&()))
}

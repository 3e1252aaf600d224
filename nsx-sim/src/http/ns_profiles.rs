//! What context profiles can speak of.

use super::call::Reply;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::Level;
use crate::kinds::ns_profile::ATTRIBUTE_TYPES;
use serde_json::{Value, json};

/// Applications by the names that the product gives them [doc: application identities]; it knows
/// more.
const APPLICATIONS: [&str; 50] = [
    "ACTIVDIR", "AMQP", "BLAST", "CA_CERT", "CIFS", "CLDAP", "CTRXCGP", "CTRXGOTO", "CTRXICA",
    "DCERPC", "DHCP", "DIAMETER", "DNS", "EPIC", "FTP", "GITHUB", "HTTP", "HTTP2", "IMAP",
    "KERBEROS", "LDAP", "MAXDB", "MSSQL", "MYSQL", "NFS", "NNTP", "NTBIOSNS", "NTP", "OCSP",
    "ORACLE", "PCOIP", "POP2", "POP3", "RADIUS", "RDP", "RTCP", "RTP", "RTSP", "SIP", "SMTP",
    "SNMP", "SQLNET", "SSH", "SSL", "SVN", "SYSLOG", "TELNET", "TFTP", "VNC", "WINS",
];

/// What narrows an application: its name, a key and the key's values.
const NARROWED: [(&str, &str, &[&str]); 2] = [
    ("CIFS", "CIFS_SMB_VERSION", &["CIFS_SMB_V1", "CIFS_SMB_V2"]),
    ("SSL", "TLS_VERSION", &["SSL_V2", "SSL_V3", "TLS_V10", "TLS_V11", "TLS_V12"]),
];

/// Adds the routes. They tell declared data: no traffic is looked into here.
pub fn register(routes: &mut Routes) {
    routes.on_as(Level::Shape, "GET", "/ns-profiles/attribute-types", |_| {
        Ok(Reply::ok(json!({"attribute_types": ATTRIBUTE_TYPES})))
    });
    routes.on_as(Level::Shape, "GET", "/ns-profiles/attributes", |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let wanted = call.query.one_of("attribute_type", &ATTRIBUTE_TYPES)?;
        let types = ATTRIBUTE_TYPES.iter().filter(|own| wanted.is_none_or(|word| word == **own));
        let known = types.filter_map(|own| Some((*own, attributes(own)?)));
        let rows = known.map(|(word, attributes)| Row {
            key: word.into(),
            id: word.into(),
            item: json!({"ns_attributes": attributes}),
        });
        paging.refuse_member()?;
        Ok(paging.by_member(rows.collect(), Value::clone)?)
    });
}

/// The attributes of a type with their values; none for the types whose values are not listed:
/// domains are any, and the product's catalogue of web pages is not known.
fn attributes(of: &str) -> Option<Vec<Value>> {
    if of != "APP_ID" {
        return None;
    }
    let data = |key: &str, values: &[&str]| -> Value {
        json!({"key": key, "datatype": "STRING", "value": values})
    };
    let attribute = |name: &&str| {
        let mut own = json!({"attributes_data": data(of, &[name])});
        let narrowed = NARROWED.iter().filter(|(application, _, _)| application == name);
        let subs: Vec<Value> = narrowed.map(|(_, key, values)| data(key, values)).collect();
        if !subs.is_empty() {
            own["sub_attributes"] = subs.into();
        }
        own
    };
    Some(APPLICATIONS.iter().map(attribute).collect())
}

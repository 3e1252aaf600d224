//! Refusals as the manager words them: status, number, module and text of each.
//!
//! Numbers and texts that clients rely on carry their source; those that no source tells are
//! marked "number not known" and listed in docs/fidelity.md.

use crate::inventory::{Error, PoolFault};
use serde_json::{Value, json};

/// Why a call was not served.
#[derive(Debug)]
pub enum Failure {
    /// The inventory refused.
    Refused(Error),
    /// Nobody by that name and password.
    Credentials,
    /// A session without its token, or a token without its session.
    XsrfToken,
    /// A certificate that is no principal's, or whose time is over.
    Certificate,
    /// None of the caller's roles allows it.
    Forbidden,
    /// More calls of one client in a second than it may make.
    TooManyRequests,
    /// More calls at a time than are served, of this client or of all.
    Busy {
        /// Of this client.
        of_client: bool,
    },
    /// The path is known, the verb is not; these are, with commas between.
    MethodNotAllowed(String),
    /// No such path.
    NoSuchPath(String),
    /// More than the server reads.
    TooLarge,
    /// The request broke off.
    Incomplete(String),
    /// The server's own fault.
    Internal,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A failure ready to be sent.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Value,
    /// Printed on one line rather than pretty.
    pub compact: bool,
}

const COMMON: &str = "common-services";
const SWITCHING: &str = "NsxSwitching service";
const FIREWALL: &str = "firewall";
const POOL: &str = "pool";
const ROUTING: &str = "Routing";
const SIMULATOR: &str = "nsx-sim";

/// Field level validation [bosh spec].
const INVALID_FIELD: u32 = 255;
/// JSON that does not read, or has members that the type does not [tf #945].
const DESERIALIZATION: u32 = 287;
/// Somebody else's object, without `X-Allow-Overwrite` [issues].
const NOT_OWNER: u32 = 289;
/// No such object [salt, doc].
const NOT_FOUND: u32 = 600;
/// Stale revision; text certain [sapcc], number not known.
const STALE: u32 = 604;
/// Object exists; the policy API's number [client code], for the manager's own is not known.
const EXISTS: u32 = 500_127;
/// Referenced by others; the policy API's number [nsxlib], for the manager's own is not known.
const REFERENCED: u32 = 500_030;
/// A port with its attachment [tf #237].
const PORT_ATTACHED: u32 = 8402;
/// A router's attachment [ans #65].
const ROUTER_ATTACHMENT: u32 = 8409;
/// No role that allows the call; the number is seen with the text of later releases [tf FAQ].
const NOT_AUTHORIZED: u32 = 401;
/// More calls than a client may make in a second.
const TOO_MANY: u32 = 102;
/// More calls at a time than are served; number not known.
const BUSY: u32 = 503;
/// A client certificate that is not trusted [nsxlib].
const BAD_CERTIFICATE: u32 = 99;
/// A bridge endpoint with its port [osp].
const BRIDGE_ATTACHED: u32 = 8407;
/// No such NAT rule, which is no 404 [tf #165].
const NO_NAT_RULE: u32 = 11013;
/// Session and token do not fit [nsxlib client.py].
const BAD_XSRF_TOKEN: u32 = 98;

impl Failure {
    /// Status and body.
    pub fn answer(self) -> Answer {
        let error = match self {
            Self::Refused(error) => return refused(error),
            // One line, no httpStatus member [salt ext tests, nsx-operator tests].
            Self::Credentials => {
                let body = json!({
                    "module_name": COMMON,
                    "error_message": "The credentials were incorrect or the account specified has been locked.",
                    "error_code": 403,
                });
                return Answer { status: 403, body, compact: true };
            }
            Self::XsrfToken => (403, BAD_XSRF_TOKEN, COMMON, "Bad XSRF token.".to_owned()),
            Self::Certificate => {
                let text = "The client certificate is not trusted: it is no principal identity's.";
                (500, BAD_CERTIFICATE, COMMON, text.to_owned())
            }
            Self::Forbidden => {
                let text = "User is not authorized to perform this operation on the application. Please contact the system administrator to get access.";
                (403, NOT_AUTHORIZED, COMMON, text.to_owned())
            }
            Self::TooManyRequests => {
                let text = "The client has exceeded its number of API calls per second.";
                (429, TOO_MANY, COMMON, text.to_owned())
            }
            Self::Busy { of_client } => {
                let whose = if of_client { "the client" } else { "all clients" };
                let text = format!("The number of concurrent API calls of {whose} is exceeded.");
                (503, BUSY, COMMON, text)
            }
            Self::MethodNotAllowed(_) => {
                (405, 405, COMMON, "The method is not allowed for this resource.".to_owned())
            }
            Self::NoSuchPath(path) => {
                (404, 404, COMMON, format!("The requested path {path} does not exist."))
            }
            Self::TooLarge => {
                let limit = super::MAX_BODY / 1024 / 1024;
                (413, 413, COMMON, format!("The request body is larger than {limit} MiB."))
            }
            Self::Incomplete(why) => {
                (400, 400, COMMON, format!("The request body could not be read: {why}"))
            }
            Self::Internal => (500, 500, SIMULATOR, "Internal error; see the log.".to_owned()),
        };
        answer(error)
    }
}

fn refused(error: Error) -> Answer {
    answer(match error {
        Error::NotFound { kind, id } => {
            let text = format!(
                "The requested object : {kind}/{id} could not be found. Object identifiers are case sensitive."
            );
            (404, NOT_FOUND, COMMON, text)
        }
        Error::MissingReference { kind, id } => {
            let text = format!(
                "The operation failed because object identifier {kind}/{id} is missing: Object identifiers are case sensitive.."
            );
            (404, NOT_FOUND, COMMON, text)
        }
        Error::AlreadyExists { kind, id } => {
            // Declared for files alone [spec CreateFile].
            let status = if kind == "FileProperties" { 409 } else { 400 };
            (status, EXISTS, COMMON, format!("An object with id {kind}/{id} exists already."))
        }
        Error::StaleRevision { kind, id, current, conflict } => {
            let text = format!(
                "The object {kind}/{id} is at revision {current}, which is not the one sent. Fetch the latest copy of the object and retry the operation."
            );
            (if conflict { 409 } else { 412 }, STALE, COMMON, text)
        }
        Error::InvalidFields(fields) => {
            let text = format!("Field level validation errors: {{{}}}", fields.join(", "));
            let mut answer = answer((400, INVALID_FIELD, COMMON, text.clone()));
            answer.body["details"] = text.into();
            return answer;
        }
        Error::UnknownField(field) => {
            let text = format!("Json de-serialization error: property {field} is unrecognized.");
            (400, DESERIALIZATION, COMMON, text)
        }
        Error::Malformed(why) => {
            (400, DESERIALIZATION, COMMON, format!("Json de-serialization error: {why}."))
        }
        Error::InUse { kind, id, by } => {
            let text = format!(
                "The object {kind}/{id} can not be deleted: it is being used by {}.",
                by.join(", ")
            );
            // Declared for these four alone [spec].
            let conflict = ["NSService", "NSServiceGroup", "IPSet", "MACSet"].contains(&kind);
            (if conflict { 409 } else { 400 }, REFERENCED, COMMON, text)
        }
        Error::PortAttached { id } => {
            let text = format!(
                "Unable to delete logical port with attachments of LogicalPort LogicalPort/{id}."
            );
            (400, PORT_ATTACHED, SWITCHING, text)
        }
        Error::RouterAttachment { id } => {
            let text = format!(
                "Managing the LogicalRouter attachment on LogicalPort {id} is not supported. Please use LogicalRouter APIs to do these operations."
            );
            (400, ROUTER_ATTACHMENT, SWITCHING, text)
        }
        Error::Pool { pool, fault, what } => pool_fault(&pool, fault, &what),
        Error::BridgeAttached { id, port } => {
            let text = format!(
                "The bridge endpoint {id} can not be deleted: the logical port {port} is attached to it."
            );
            (400, BRIDGE_ATTACHED, SWITCHING, text)
        }
        Error::NoSuchNatRule { id, router } => {
            let text = format!(
                "[Routing] Invalid resource NAT rule {id} for the logical router {router}."
            );
            (400, NO_NAT_RULE, ROUTING, text)
        }
        Error::Protected { kind, owner, caller, role } => {
            let text = format!(
                "Principal '{caller}' with role '[{role}]' attempts to delete or modify an object of type {kind} it doesn't own. (createUser={owner}, allowOverwrite=null)"
            );
            (400, NOT_OWNER, COMMON, text)
        }
        Error::NotModifiable { kind, id, why } => {
            (400, INVALID_FIELD, COMMON, format!("The object {kind}/{id} was not changed: {why}."))
        }
        // Number not known.
        Error::NotNow(text) => (409, 409, COMMON, text),
        Error::Locked { id, by } => {
            (423, 423, FIREWALL, format!("The section {id} is locked by user {by}."))
        }
        Error::Unsupported(what) => (
            501,
            501,
            SIMULATOR,
            format!("{what} is part of the API but not modelled by this simulator."),
        ),
    })
}

/// The numbers are those that [nsxlib] and [osp] look for, save that of a block; 409 where the
/// operation declares it [spec AllocateOrReleaseFromIpPool, CreateIpBlockSubnet, UpdateIpBlock].
fn pool_fault(pool: &str, fault: PoolFault, what: &str) -> (u16, u32, &'static str, String) {
    let (status, code, text) = match fault {
        PoolFault::Exhausted => (409, 5109, format!("The pool {pool} is exhausted.")),
        PoolFault::Allocated => (409, 5141, format!("{what} of the pool {pool} is allocated.")),
        PoolFault::NotAllocated => {
            (400, 5110, format!("{what} is not in the pool {pool}, or not allocated."))
        }
        PoolFault::RangeDeleted => (
            400,
            5015,
            format!(
                "The range of the pool {pool} that holds {what}, which is allocated, can not be deleted."
            ),
        ),
        PoolFault::RangeShrunk => (
            400,
            5016,
            format!(
                "The range of the pool {pool} that holds {what}, which is allocated, can not be shrunk."
            ),
        ),
        PoolFault::RangeChanged => (
            400,
            5602,
            format!(
                "The range of the pool {pool} that holds {what}, which is allocated, can not be modified."
            ),
        ),
        // Number not known.
        PoolFault::BlockTooSmall => {
            (409, 5602, format!("The block {pool} must hold its subnet {what}."))
        }
    };
    (status, code, POOL, text)
}

fn answer((status, code, module, text): (u16, u32, &str, String)) -> Answer {
    let body = json!({
        "httpStatus": status_name(status),
        "error_code": code,
        "module_name": module,
        "error_message": text,
    });
    Answer { status, body, compact: false }
}

/// Spring's name of a status, as in `httpStatus`.
fn status_name(status: u16) -> &'static str {
    match status {
        400 => "BAD_REQUEST",
        403 => "FORBIDDEN",
        404 => "NOT_FOUND",
        405 => "METHOD_NOT_ALLOWED",
        409 => "CONFLICT",
        412 => "PRECONDITION_FAILED",
        // Of its two names the one that Python clients know, too [nsxlib].
        413 => "REQUEST_ENTITY_TOO_LARGE",
        423 => "LOCKED",
        429 => "TOO_MANY_REQUESTS",
        501 => "NOT_IMPLEMENTED",
        503 => "SERVICE_UNAVAILABLE",
        _ => "INTERNAL_SERVER_ERROR",
    }
}

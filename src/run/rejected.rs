//! Rejections in the records of units.

use crate::lamost::raw::{RejectReason, Rejection};

/// A rejection as a record holds it: file, HDU, reason, detail.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Rejected(pub String, String, String, String);

impl From<&Rejection> for Rejected {
    fn from(r: &Rejection) -> Self {
        let (path, reason) = (r.path.display().to_string(), r.reason.name().to_owned());
        Rejected(path, r.hdu.clone(), reason, r.detail.clone())
    }
}

impl From<Rejected> for Rejection {
    fn from(Rejected(path, hdu, reason, detail): Rejected) -> Self {
        Rejection {
            path: path.into(),
            hdu,
            reason: RejectReason::of_name(&reason),
            detail,
        }
    }
}

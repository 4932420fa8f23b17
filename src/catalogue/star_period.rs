//! The columns of a star's period.

use crate::C_KM_S;
use crate::periods::Period;
use crate::table::{Field, field};

/// What `stars` tells of a star's period; NaN where there is none to be told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StarPeriod {
    /// Period, days.
    pub period_d: f64,
    /// Probability that a star without a period shows one as clearly.
    pub false_alarm: f64,
    /// Half the range of the sinusoid, km/s.
    pub amplitude_km_s: f64,
}

impl Default for StarPeriod {
    fn default() -> Self {
        StarPeriod {
            period_d: f64::NAN,
            false_alarm: f64::NAN,
            amplitude_km_s: f64::NAN,
        }
    }
}

impl From<Period> for StarPeriod {
    fn from(found: Period) -> Self {
        StarPeriod {
            period_d: found.period_d,
            false_alarm: found.false_alarm,
            amplitude_km_s: found.amplitude_km_s,
        }
    }
}

/// Longest period that is believed when a table is read: longer than any survey lasts.
const LONGEST_D: f64 = 1e7;

/// The columns of the period.
pub static PERIOD: [Field<StarPeriod>; 3] = [
    field!(
        f64,
        StarPeriod,
        period_d,
        "period",
        "d",
        "best period of both arms' corrected velocities together; look at period_fap first"
    )
    .page("best period of the corrected velocities of both arms together, the same in both rows of a star; missing where fewer than 12 different times have a usable one, and where `p_value` is 0.01 or more in both arms. Every other star has a best period: `period_fap` says whether it means anything ([method, 15](method.md#15-periods-periods))")
    .ucd("time.period")
    .up_to(LONGEST_D)
    .late(),
    field!(
        f64,
        StarPeriod,
        false_alarm,
        "period_fap",
        "",
        "probability that a star without a period shows one as clearly"
    )
    .ucd("stat.probability")
    .late(),
    field!(
        f64,
        StarPeriod,
        amplitude_km_s,
        "period_amp",
        "km/s",
        "half the range of the sinusoid of this period"
    )
    .page("half the range of the sinusoid of this period (the semi-amplitude of a circular orbit)")
    .ucd("src.var.amplitude;spect.dopplerVeloc")
    .up_to(C_KM_S)
    .late(),
];

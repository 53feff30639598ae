//! Standard or advanced, and how many there may be of each (pure).
//!
//! Source: User Guide, "Managing parameter tiers" and "Specifying a default parameter tier".

use haechi_ssm_model::Error;
use haechi_ssm_model::shapes::ParameterTier;

use crate::error::invalid;

/// Standard parameters in an account and Region.
pub(crate) const STANDARD_MAX: u64 = 10_000;
/// Advanced parameters in an account and Region.
pub(crate) const ADVANCED_MAX: u64 = 100_000;
/// Bytes of a standard parameter's value.
pub(crate) const STANDARD_BYTES_MAX: usize = 4096;
/// Bytes of an advanced parameter's value.
pub(crate) const ADVANCED_BYTES_MAX: usize = 8192;

/// A tier that a parameter can be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Standard,
    Advanced,
}

impl Tier {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tier::Standard => "Standard",
            Tier::Advanced => "Advanced",
        }
    }

    /// From how it is stored.
    pub(crate) fn of(name: &str) -> Tier {
        if name == "Advanced" { Tier::Advanced } else { Tier::Standard }
    }

    pub(crate) fn shown(self) -> ParameterTier {
        match self {
            Tier::Standard => ParameterTier::Standard,
            Tier::Advanced => ParameterTier::Advanced,
        }
    }
}

/// What a parameter's tier follows from.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// What the request names.
    pub(crate) asked: Option<ParameterTier>,
    /// The account's default.
    pub(crate) default: ParameterTier,
    /// What the parameter is, if it is there.
    pub(crate) old: Option<Tier>,
    /// Whether the request has something that only advanced parameters have.
    pub(crate) needs_advanced: bool,
    /// Standard parameters that there are.
    pub(crate) standard: u64,
}

impl Question {
    /// The tier; whether the request may have it is checked later.
    pub(crate) fn answer(self) -> Result<Tier, Error> {
        if self.old == Some(Tier::Advanced) {
            if self.asked == Some(ParameterTier::Standard) {
                return Err(invalid(
                    "This parameter uses the advanced-parameter tier. You can't downgrade a \
                     parameter from the advanced-parameter tier to the standard-parameter tier. If \
                     necessary, you can delete the advanced parameter and recreate it as a standard \
                     parameter.",
                ));
            }
            return Ok(Tier::Advanced);
        }
        let full = self.old.is_none() && self.standard >= STANDARD_MAX;
        Ok(match self.asked.unwrap_or(self.default) {
            ParameterTier::Standard => Tier::Standard,
            ParameterTier::Advanced => Tier::Advanced,
            ParameterTier::IntelligentTiering if self.needs_advanced || full => Tier::Advanced,
            ParameterTier::IntelligentTiering => Tier::Standard,
        })
    }
}

/// Checks a value's length.
pub(crate) fn check_length(tier: Tier, bytes: usize) -> Result<(), Error> {
    match tier {
        Tier::Standard if bytes > STANDARD_BYTES_MAX => Err(invalid(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To \
             create a larger parameter value, upgrade the parameter to use the advanced-parameter \
             tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/\
             userguide/parameter-store-advanced-parameters.html",
        )),
        Tier::Advanced if bytes > ADVANCED_BYTES_MAX => Err(invalid(
            "The specified parameter value is too large. Advanced-tier parameters support a \
             maximum parameter value of 8192 characters.",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(asked: Option<ParameterTier>, old: Option<Tier>) -> Question {
        let default = ParameterTier::Standard;
        Question { asked, default, old, needs_advanced: false, standard: 0 }
    }

    #[test]
    fn an_advanced_parameter_never_becomes_standard() {
        let old = Some(Tier::Advanced);
        assert_eq!(question(None, old).answer().unwrap(), Tier::Advanced);
        let intelligent = Some(ParameterTier::IntelligentTiering);
        assert_eq!(question(intelligent, old).answer().unwrap(), Tier::Advanced);
        assert!(question(Some(ParameterTier::Standard), old).answer().is_err());
    }

    #[test]
    fn intelligent_tiering_takes_the_advanced_tier_only_if_it_must() {
        let mut question = question(Some(ParameterTier::IntelligentTiering), None);
        assert_eq!(question.answer().unwrap(), Tier::Standard);
        question.needs_advanced = true;
        assert_eq!(question.answer().unwrap(), Tier::Advanced);
        question.needs_advanced = false;
        question.standard = STANDARD_MAX;
        assert_eq!(question.answer().unwrap(), Tier::Advanced);
        question.old = Some(Tier::Standard);
        assert_eq!(question.answer().unwrap(), Tier::Standard);
    }

    #[test]
    fn the_accounts_default_binds_what_names_no_tier() {
        let mut question = question(None, None);
        question.default = ParameterTier::Advanced;
        assert_eq!(question.answer().unwrap(), Tier::Advanced);
        question.asked = Some(ParameterTier::Standard);
        assert_eq!(question.answer().unwrap(), Tier::Standard);
    }
}

//! Whether the cryptography is AWS-LC's FIPS module: the feature `fips`.

/// A build for FIPS whose module does not run as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this haechi was built with the feature `fips`, and AWS-LC's FIPS module does not run as one: \
     build it anew, or use a build without the feature"
)]
pub struct FipsError;

/// The version of the FIPS module, where it is what runs.
#[must_use]
pub fn fips_module() -> Option<u32> {
    aws_lc_rs::try_fips_mode().ok().and_then(|()| aws_lc_rs::fips_version())
}

/// Refuses to go on where the module should run and does not. It has tested itself when it was
/// loaded; a module that fails its tests ends the process.
///
/// # Errors
/// [`FipsError`].
pub fn check_fips() -> Result<(), FipsError> {
    if cfg!(feature = "fips") && fips_module().is_none() { Err(FipsError) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_runs_if_and_only_if_it_was_built_in() {
        assert_eq!(check_fips(), Ok(()));
        assert_eq!(fips_module().is_some(), cfg!(feature = "fips"));
    }
}

//! All asks, by name.

use super::wire::{self, Line};
use super::{Ask, ask};
use crate::Failure;
use crate::installation::Installation;

macro_rules! asks {
    ($($ask:ty),* $(,)?) => {
        /// Reads what is asked, does it, and writes the answer.
        ///
        /// # Errors
        /// What the ask answers; or if there is none of this name.
        pub async fn answer(
            name: &str,
            input: &[u8],
            installation: &Installation,
        ) -> Result<Line, Failure> {
            match name {
                $(<$ask as Ask>::NAME => run::<$ask>(input, installation).await,)*
                _ => Err(format!(
                    "this server knows no command {name}: it is another version of haechi"
                ).into()),
            }
        }

        #[cfg(test)]
        const NAMES: &[&str] = &[$(<$ask as Ask>::NAME),*];
    };
}

asks! {
    ask::AccountCreate,
    ask::AccountKey,
    ask::AccountList,
    ask::IamExplain,
    ask::KmsUsage,
    ask::PeerAdd,
    ask::PeerCard,
    ask::PeerList,
    ask::PeerRemove,
    ask::XksCreate,
    ask::XksCredentialCreate,
    ask::XksCredentialDelete,
    ask::XksDelete,
    ask::XksList,
    ask::SecretsAttach,
    ask::RekeyAdopt,
    ask::RekeyCommit,
    ask::RekeyFinish,
    ask::RekeyPrepare,
    ask::StoreMove,
}

async fn run<A: Ask>(input: &[u8], installation: &Installation) -> Result<Line, Failure> {
    let ask: A = wire::value(input)?;
    wire::line(&super::told::done(ask, installation).await?)
}

#[cfg(test)]
mod tests {
    use super::NAMES;

    #[test]
    fn no_two_asks_have_one_name() {
        let mut names = NAMES.to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
    }
}

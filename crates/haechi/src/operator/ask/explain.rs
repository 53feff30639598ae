//! Why a request is allowed or denied.

use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::explain::{Answer, Question, installation};
use crate::installation::Installation;
use crate::operator::Ask;

/// Explains the decision on a request.
#[derive(Debug, Serialize, Deserialize)]
pub struct IamExplain {
    /// The request, and policies to be tried.
    pub question: Question,
}

impl Ask for IamExplain {
    const NAME: &'static str = "iam.explain";
    type Answer = Answer;

    async fn answer(self, installation: &Installation) -> Result<Answer, Failure> {
        installation::answer(&self.question, installation).await
    }
}

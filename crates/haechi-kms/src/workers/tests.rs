use std::collections::BTreeSet;

use haechi_crypto::SystemRandom;

use super::*;

#[tokio::test]
async fn no_pair_is_given_out_twice_made_ahead_or_not() {
    let random: Arc<dyn Random> = Arc::new(SystemRandom::new());
    let workers = Workers::new();
    let mut seen = BTreeSet::new();
    for _ in 0..6 {
        let pair = workers.generate(KeySpec::Rsa2048, &random).await.unwrap();
        assert!(seen.insert(pair.public_key().unwrap().as_der().to_vec()));
        // Whatever is made ahead is done once the one permit is back.
        let idle = u32::try_from(workers.making.available_permits().max(1)).unwrap();
        drop(workers.making.acquire_many(idle).await.unwrap());
    }
}

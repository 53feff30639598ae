//! Two deployments on two hosts (network namespaces), and nftables between them: each serves while
//! packets are dropped, in both directions or in one, and what was asked for meanwhile comes after.

use haechi_conformance::etcd::Network;

use super::*;
use crate::cluster_faults::is_root;

/// A deployment of a host's own.
fn deployment(
    network: &Network,
    host: usize,
    folder: &std::path::Path,
    region: &'static str,
    account: Option<&str>,
) -> Deployment {
    let address = network.host(host);
    let text = format!(
        "region = \"{region}\"\n[regions]\nlocal = [\"{region}\"]\n[peering]\nname = \"{region}\"\n\
         listen = \"{address}:4568\"\nendpoint = \"{address}:4568\"\n"
    );
    let configuration = folder.join(format!("{region}.toml"));
    std::fs::write(&configuration, text).unwrap();
    let mut options = vec!["--config", configuration.to_str().unwrap()];
    options.extend(account.iter().flat_map(|account| ["--account-id", account]));
    let launch = Launch::new().options(&options).listen(&format!("{address}:4566"));
    let server = launch.inside(network.entrance(host)).start();
    Deployment { server, relay: Relay::new(), region }
}

#[test]
fn packets_that_are_dropped_in_both_directions_or_one_stop_neither_side() {
    if !is_root() {
        return;
    }
    let network = Network::new(2);
    let folder = tempfile::tempdir().unwrap();
    let home = deployment(&network, 0, folder.path(), HOME, None);
    let account = home.server.ready().account_id.clone();
    let away = deployment(&network, 1, folder.path(), AWAY, Some(&account));
    let pair = Pair::of(folder, home, away);
    let key = pair.key();
    for (side, one_way) in [(0, false), (0, true), (1, true)] {
        network.cut(side, one_way);
        let begun = std::time::Instant::now();
        pair.read_each_other(&key);
        let before = pair.home.material(&key);
        pair.home.aws(&["kms", "rotate-key-on-demand", "--key-id", &key]);
        let made = pair.home.aws(&["kms", "create-key", "--multi-region"]);
        let late = made["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
        pair.home.aws(&["kms", "replicate-key", "--key-id", &late, "--replica-region", AWAY]);
        std::thread::sleep(Duration::from_secs(5));
        assert!(pair.away.describe(&late).is_none(), "nothing comes over");
        assert_eq!(pair.away.material(&key), before);
        pair.read_each_other(&key);
        let cut = begun.elapsed();
        network.heal(side);
        let healed = std::time::Instant::now();
        until("the late replica is there", || pair.away.describe(&late).is_some());
        until("the rotation is done on both sides", || {
            let there = pair.away.material(&key);
            there != before && there == pair.home.material(&key)
        });
        pair.read_each_other(&key);
        pair.read_each_other(&late);
        println!(
            "side {side} cut off ({}) for {cut:.1?}: in sync {:.1?} after",
            if one_way { "it heard nothing" } else { "both directions" },
            healed.elapsed()
        );
    }
}

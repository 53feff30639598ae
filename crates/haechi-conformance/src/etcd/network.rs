//! A network namespace for each member, joined by a bridge, so that members can be cut off from
//! each other while the test still reaches them.

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::client::outcome;

/// The namespaces of one cluster. Removed when dropped.
#[derive(Debug)]
pub struct Network {
    /// What its names begin with; short, for an interface's name has 15 characters.
    name: String,
    /// The first three numbers of its addresses.
    subnet: String,
    members: usize,
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("sh").args(["-c", &self.removal()]).output();
    }
}

impl Network {
    /// Makes the bridge and the namespaces.
    pub fn new(members: usize) -> Network {
        let process = std::process::id();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("h{process:x}{count:x}");
        let subnet = format!("10.{}.{}", 100 + (count + process / 250) % 150, process % 250);
        let network = Network { name, subnet, members };
        let Network { name, subnet, .. } = &network;
        let mut steps = vec![
            format!("ip link add {name}b type bridge"),
            format!("ip address add {subnet}.1/24 dev {name}b"),
            format!("ip link set {name}b up"),
        ];
        for member in 0..members {
            let (space, host) = (network.namespace(member), network.host(member));
            steps.extend([
                format!("ip netns add {space}"),
                format!("ip link add {name}v{member} type veth peer name eth0 netns {space}"),
                format!("ip link set {name}v{member} master {name}b up"),
                format!("ip -n {space} address add {host}/24 dev eth0"),
                format!("ip -n {space} link set eth0 up"),
                format!("ip -n {space} link set lo up"),
            ]);
        }
        outcome(Command::new("sh").args(["-ec", &steps.join("\n")])).ok();
        network
    }

    /// A member's address.
    pub fn host(&self, member: usize) -> String {
        format!("{}.{}", self.subnet, member + 11)
    }

    /// What a command begins with that is to be run where the member is.
    pub fn entrance(&self, member: usize) -> [String; 4] {
        ["ip".into(), "netns".into(), "exec".into(), self.namespace(member)]
    }

    /// `program`, to be run where the member is.
    pub fn program(&self, member: usize, program: &str) -> Command {
        let [command, arguments @ ..] = self.entrance(member);
        let mut command = Command::new(command);
        command.args(arguments).arg(program);
        command
    }

    /// Drops what comes from the other members and, unless `one_way`, what goes to them.
    pub fn cut(&self, member: usize, one_way: bool) {
        let others: Vec<String> = (0..self.members)
            .filter(|other| *other != member)
            .map(|other| self.host(other))
            .collect();
        let others = others.join(", ");
        let mut rules = format!(
            "add table ip cut\n\
             add chain ip cut in {{ type filter hook input priority 0; }}\n\
             add rule ip cut in ip saddr {{ {others} }} drop\n"
        );
        if !one_way {
            rules += &format!(
                "add chain ip cut out {{ type filter hook output priority 0; }}\n\
                 add rule ip cut out ip daddr {{ {others} }} drop\n"
            );
        }
        let script = format!("nft -f - <<'END'\n{rules}END\n");
        outcome(self.program(member, "sh").args(["-c", &script])).ok();
    }

    /// Lets everything through again.
    pub fn heal(&self, member: usize) {
        outcome(self.program(member, "nft").args(["flush", "ruleset"])).ok();
    }

    /// The commands that remove it all.
    pub(super) fn removal(&self) -> String {
        let mut steps: Vec<String> = (0..self.members)
            .map(|member| format!("ip netns del {}", self.namespace(member)))
            .collect();
        steps.push(format!("ip link del {}b", self.name));
        steps.join("; ")
    }

    fn namespace(&self, member: usize) -> String {
        format!("{}n{member}", self.name)
    }
}

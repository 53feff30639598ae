//! The real binary with real clients. Each module is one promise seen from outside.

#[cfg(test)]
mod account;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod audit_crash;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod cluster_faults;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod configuration;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod data_directory;
#[cfg(test)]
mod dev;
#[cfg(test)]
mod encryption_clients;
#[cfg(test)]
mod event_crash;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod external_keys;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod identity_crash;
#[cfg(test)]
mod inject;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod operating;
#[cfg(test)]
mod parameter_crash;
#[cfg(test)]
mod regions;
#[cfg(test)]
mod rekey;
#[cfg(test)]
mod scripts;
#[cfg(test)]
mod seal;
#[cfg(test)]
mod secret_rotation;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod terraform;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod trails;
#[cfg(test)]
mod upgrade;
#[cfg(test)]
mod walk_cli;
#[cfg(test)]
mod walk_messages;
#[cfg(test)]
mod walk_sdk;

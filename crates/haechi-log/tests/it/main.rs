//! The log on a real file system: what is answered is there, and what was changed is found.

#[cfg(test)]
mod ahead;
#[cfg(test)]
mod basics;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod reading;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tampering;

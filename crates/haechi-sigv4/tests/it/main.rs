//! Signatures against AWS's own vectors, and properties that hold for every request.

#[cfg(test)]
mod errors;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod support;
#[cfg(test)]
mod vectors;

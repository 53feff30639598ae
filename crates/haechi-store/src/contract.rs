//! The behaviour of every engine, as tests. TODO

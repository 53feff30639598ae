//! Decisions, properties and explanations, through the public interface.

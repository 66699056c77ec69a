//! The rochdale command.

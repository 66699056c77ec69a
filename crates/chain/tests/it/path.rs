//! The whole way of a record and of a cent, by contract calls alone.

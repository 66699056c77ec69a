//! Envelopes, secret sharing, sealing and signatures.

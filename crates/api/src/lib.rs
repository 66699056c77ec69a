//! The HTTP contract: DTOs, problem codes, signed requests; a typed client behind the feature client.

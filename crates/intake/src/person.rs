//! Whether two Patients of one id are one person.

use rochdale_core::fhir::{Json, Number};
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Names, and words of one name, that are compared.
const MOST: usize = 16;

/// What a Patient says of who it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    born: Option<String>,
    gender: Option<String>,
    names: Vec<Name>,
    /// Of everything but what the server wrote of the version.
    rest: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Name {
    family: BTreeSet<String>,
    given: BTreeSet<String>,
}

impl Person {
    /// Reads a Patient.
    #[must_use]
    pub fn of(patient: Json<'_>) -> Self {
        let text = |field: &str| patient.get(field).and_then(Json::as_str).map(|text| text.trim().to_lowercase());
        let names = patient.get("name").into_iter().flat_map(Json::one_or_many).take(MOST).map(Name::of);
        Self {
            born: text("birthDate"),
            gender: text("gender"),
            names: names.filter(|name| !name.is_empty()).collect(),
            rest: rest(patient),
        }
    }

    /// Whether two Patients of one id have to be taken for two people: something of them contradicts, or they have too
    /// little in common. Alike but for `meta` they are one; else they have the birth date in common, or sex and name.
    #[must_use]
    pub fn is_another(&self, other: &Self) -> bool {
        if self.rest == other.rest {
            return false;
        }
        let [born, gender, named] = self.in_common(other);
        self.contradicts(other) || (born.is_none() && (gender.is_none() || named.is_none()))
    }

    /// Whether it says enough to know the same person again.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.born.is_some() || self.gender.is_some() && !self.names.is_empty()
    }

    /// Whether what two Patients say of birth date, sex or name cannot be of one person.
    #[must_use]
    pub fn contradicts(&self, other: &Self) -> bool {
        self.in_common(other).contains(&Some(false))
    }

    /// Whether birth date, sex and name agree, where both say something of them.
    fn in_common(&self, other: &Self) -> [Option<bool>; 3] {
        let same = |one: &Option<String>, other: &Option<String>| one.as_ref().zip(other.as_ref()).map(|(a, b)| a == b);
        let named = (!self.names.is_empty() && !other.names.is_empty())
            .then(|| self.names.iter().any(|one| other.names.iter().any(|other| one.may_be(other))));
        [same(&self.born, &other.born), same(&self.gender, &other.gender), named]
    }
}

/// A digest of a resource without its `meta`, whatever the order of its fields.
pub(crate) fn rest(resource: Json<'_>) -> u64 {
    let mut fields: Vec<_> = resource.fields().filter(|(key, _)| *key != "meta").collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    let mut hasher = DefaultHasher::new();
    for (key, value) in fields {
        key.hash(&mut hasher);
        feed(value, &mut hasher);
    }
    hasher.finish()
}

/// Everything that a value says; how deep it is, the parser bounds.
fn feed(value: Json<'_>, hasher: &mut DefaultHasher) {
    (value.is_object(), value.is_array(), value.as_str(), value.as_bool()).hash(hasher);
    match value.as_number() {
        Some(Number::Natural(number)) => number.hash(hasher),
        Some(Number::Negative(number)) => number.hash(hasher),
        Some(Number::Float(number)) => number.to_bits().hash(hasher),
        None => {}
    }
    value.items().for_each(|item| feed(item, hasher));
    let mut fields: Vec<_> = value.fields().collect();
    fields.sort_unstable_by_key(|(key, _)| *key);
    for (key, value) in fields {
        key.hash(hasher);
        feed(value, hasher);
    }
    // Where it ends, so that what follows is not taken for a part of it.
    u8::MAX.hash(hasher);
}

/// Whether a word in lower case is one letter that stands for a name: what has no cases, as in Chinese, is one.
fn is_initial(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_lowercase) && letters.next().is_none()
}

impl Name {
    fn of(name: Json<'_>) -> Self {
        let words = |field: &str| -> BTreeSet<String> {
            let texts = name.get(field).into_iter().flat_map(Json::one_or_many).filter_map(Json::as_str);
            let words = texts.flat_map(str::split_whitespace).take(MOST);
            let plain = words.map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()).to_lowercase());
            plain.filter(|word| !word.is_empty() && !is_initial(word)).collect()
        };
        let (family, given) = (words("family"), words("given"));
        if family.is_empty() && given.is_empty() {
            // Nobody knows which of the words is the family's.
            return Self { family: words("text"), given };
        }
        Self { family, given }
    }

    fn is_empty(&self) -> bool {
        self.family.is_empty() && self.given.is_empty()
    }

    /// Whether two names may be one person's: of family and given names, one has all of the other.
    fn may_be(&self, other: &Self) -> bool {
        let fits = |one: &BTreeSet<String>, other: &BTreeSet<String>| one.is_subset(other) || other.is_subset(one);
        fits(&self.family, &other.family) && fits(&self.given, &other.given)
    }
}

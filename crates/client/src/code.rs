//! Secrets that a person reads, types and keeps on paper: invitations and recovery codes.
//!
//! 26 characters of Crockford's base32, 130 bits, so that nobody finds one by trying. There is no check digit: a code with
//! one wrong character is another code, which opens nothing.

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Crockford's: no I, L, O or U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a code.
pub const LENGTH: usize = 26;
/// How many characters stand together when a person reads it.
const GROUPS: [usize; 5] = [5, 5, 5, 5, 6];

/// Why a text is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A character that no code has.
    #[error(
        "a code has no {0:?}: it is made of the digits and the letters A to Z without U; where you see I or L it is a 1, and O is a 0"
    )]
    Character(char),
    /// Characters are missing.
    #[error(
        "the code has {0} characters, and {LENGTH} are needed: some are missing at one of its ends or in the middle"
    )]
    Short(usize),
    /// There are too many.
    #[error("the code has more than {LENGTH} characters: only the code itself, without what stands around it")]
    Long,
}

/// A code in its one form: capitals, no spaces or dashes.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Code([u8; LENGTH]);

impl Code {
    /// Draws a fresh one.
    #[must_use]
    pub fn draw(rng: &mut impl CryptoRng) -> Self {
        let mut drawn = [0; LENGTH];
        rng.fill_bytes(&mut drawn);
        for byte in &mut drawn {
            // A byte has eight times as many values as the alphabet has characters: each comes as often as any other.
            *byte = ALPHABET[usize::from(*byte & 31)];
        }
        Self(drawn)
    }

    /// Reads what a person typed, or the link that ends in it: spaces, dashes and case do not matter, nor do I and L for 1 or O for 0.
    ///
    /// # Errors
    /// Says what no code has, or how many characters are there.
    pub fn read(text: &str) -> Result<Self, CodeError> {
        let text = text.rsplit_once('#').map_or(text, |(_, code)| code);
        let mut code = Self([0; LENGTH]);
        let mut length = 0;
        for typed in text.chars().filter(|c| !is_gap(*c)) {
            let character = canonical(typed).ok_or(CodeError::Character(typed))?;
            *code.0.get_mut(length).ok_or(CodeError::Long)? = character;
            length += 1;
        }
        if length < LENGTH {
            return Err(CodeError::Short(length));
        }
        Ok(code)
    }

    /// The characters in their one form, to derive from, to keep and to put in a link.
    #[must_use]
    pub fn expose(&self) -> &str {
        // Reading and drawing put nothing in but ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// As a person is shown it: in groups.
    #[must_use]
    pub fn grouped(&self) -> String {
        let mut rest = self.expose();
        let take = |length: &usize| {
            let (group, left) = rest.split_at((*length).min(rest.len()));
            rest = left;
            group
        };
        GROUPS.iter().map(take).collect::<Vec<_>>().join("-")
    }
}

fn is_gap(c: char) -> bool {
    // The dashes that word processors make of a hyphen are among them.
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}')
}

fn canonical(typed: char) -> Option<u8> {
    let character = match u8::try_from(typed).ok()?.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        other => other,
    };
    ALPHABET.contains(&character).then_some(character)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CODE: &str = "0123456789ABCDEFGHJKMNPQRS";

    #[test]
    fn what_is_drawn_is_read_again_as_it_is_shown_and_in_a_link() {
        let code = Code::draw(&mut rand::rng());
        let shown = code.grouped();
        let lengths: Vec<usize> = shown.split('-').map(str::len).collect();
        assert_eq!(lengths, GROUPS);
        for text in [shown.clone(), code.expose().to_owned(), format!("http://localhost:8400/join#{shown}")] {
            assert_eq!(Code::read(&text).unwrap().expose(), code.expose(), "{text}");
        }
    }

    #[test]
    fn every_character_is_drawn_in_every_place() {
        let codes: Vec<Code> = (0..2_000).map(|_| Code::draw(&mut rand::rng())).collect();
        for place in 0..LENGTH {
            let seen: BTreeSet<u8> = codes.iter().map(|code| code.0[place]).collect();
            assert_eq!(seen, ALPHABET.iter().copied().collect(), "place {place}");
        }
    }

    #[test]
    fn what_people_confuse_is_forgiven() {
        for text in [
            "01234 56789 abcde fghjk mnpqrs",
            " o1234-56789—ABCDE–FGHJK\tMNPQRS\n",
            "oi234-56789-ABCDE-FGHJK-MNPQRS",
            "0L23456789ABCDEFGHJKMNPQRS",
        ] {
            assert_eq!(Code::read(text).unwrap().expose(), CODE, "{text:?}");
        }
        assert_ne!(Code::read("1123456789ABCDEFGHJKMNPQRS").unwrap().expose(), CODE);
    }

    #[test]
    fn what_is_no_code_is_told_why() {
        let refused = |text: &str| Code::read(text).map(|code| code.grouped()).unwrap_err();
        assert_eq!(refused(""), CodeError::Short(0));
        assert_eq!(refused("01234-56789-ABCDE-FGHJK-MNPQR"), CodeError::Short(25));
        assert_eq!(refused("01234-56789-ABCDE-FGHJK-MNPQRST"), CodeError::Long);
        for wrong in ['U', 'u', '!', 'ß', '😀', '\0'] {
            let text = CODE.replacen('5', &wrong.to_string(), 1);
            assert_eq!(refused(&text), CodeError::Character(wrong), "{text:?}");
        }
        // A letter of another alphabet whose capital is one of ours.
        assert_eq!(refused(&CODE.replace('S', "ſ")), CodeError::Character('ſ'));
    }
}

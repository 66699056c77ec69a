//! What members are told before they consent; the receipt names the language and the digest of the text.

use alloy_primitives::keccak256;
use rochdale_core::consent::Notice;

/// In English.
pub const ENGLISH: (&str, &str) = ("en", include_str!("notice.en.txt"));
/// In German.
pub const GERMAN: (&str, &str) = ("de", include_str!("notice.de.txt"));

/// The text in each language, by its BCP 47 tag.
const ALL: [(&str, &str); 2] = [ENGLISH, GERMAN];

/// The text in a language; `None` where it was not translated.
#[must_use]
pub fn text(language: &str) -> Option<&'static str> {
    ALL.iter().find(|(tag, _)| *tag == language).map(|(_, text)| *text)
}

/// What a receipt says of the text in a language.
#[must_use]
pub fn named((tag, text): (&str, &str)) -> Notice {
    Notice { language: tag.to_owned(), digest: keccak256(text) }
}

/// The text that a receipt names; `None` where it was another one.
#[must_use]
pub fn shown(notice: &Notice) -> Option<&'static str> {
    text(&notice.language).filter(|text| keccak256(text) == notice.digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_names_the_text_that_was_shown() {
        for told in ALL {
            assert_eq!(shown(&named(told)), Some(told.1));
        }
        let changed = Notice { digest: keccak256("another"), ..named(ENGLISH) };
        assert_eq!(shown(&changed), None);
        assert_eq!(shown(&Notice { language: "fr".to_owned(), ..named(ENGLISH) }), None);
    }
}

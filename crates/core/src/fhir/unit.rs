//! Whether two units measure the same, and by what factor: `10*3/uL` and `/nL`, `g/dL` and `g{Hb}/dl`.
//!
//! Source: The Unified Code for Units of Measure, version 2.1, tables 2 to 20. Annotations say nothing (section 6). Of units that
//! are no multiples of others (`Cel`, `[pH]`, arbitrary ones) each measures for itself. The mole is taken for a dimension of its own.

use super::ucum::unit_is_valid;
use std::collections::BTreeMap;

/// A unit as powers of what cannot be taken apart, and a factor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Measure<'a> {
    dimensions: BTreeMap<&'a str, i32>,
    factor: Factor,
}

/// `over · 10^ten / under`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Factor {
    over: i128,
    under: i128,
    ten: i32,
}

impl Default for Factor {
    fn default() -> Self {
        Self { over: 1, under: 1, ten: 0 }
    }
}

/// Powers of ten that any factor needs.
const MOST_TEN: i32 = 30;

impl Factor {
    /// Whether an amount, in thousandths of the unit converted from, lies between two amounts in thousandths of the other.
    #[must_use]
    pub fn puts_between(self, milli: i64, [low, high]: [i64; 2]) -> bool {
        let ten = |power: i32| 10i128.checked_pow(u32::try_from(power.max(0)).unwrap_or(0));
        let amount = || i128::from(milli).checked_mul(self.over)?.checked_mul(ten(self.ten)?);
        let bound = |bound: i64| i128::from(bound).checked_mul(self.under)?.checked_mul(ten(-self.ten)?);
        match (amount(), bound(low), bound(high)) {
            (Some(amount), Some(low), Some(high)) => (low..=high).contains(&amount),
            _ => false,
        }
    }

    fn times(self, other: Self, power: i32) -> Option<Self> {
        let (mut over, mut under) = (other.over, other.under);
        if power < 0 {
            (over, under) = (under, over);
        }
        let exponent = power.unsigned_abs();
        let over = self.over.checked_mul(over.checked_pow(exponent)?)?;
        let under = self.under.checked_mul(under.checked_pow(exponent)?)?;
        let ten = self.ten.checked_add(other.ten.checked_mul(power)?)?;
        let common = common_divisor(over, under);
        (ten.abs() <= MOST_TEN).then_some(Self { over: over / common, under: under / common, ten })
    }
}

fn common_divisor(one: i128, other: i128) -> i128 {
    if other == 0 { one.max(1) } else { common_divisor(other, one % other) }
}

/// The factor by which an amount in one unit is one in the other; `None` where they do not measure the same, or one is no UCUM unit.
#[must_use]
pub fn conversion(from: &str, to: &str) -> Option<Factor> {
    let (from, to) = (measure(from)?, measure(to)?);
    (from.dimensions == to.dimensions).then(|| from.factor.times(to.factor, -1)).flatten()
}

fn measure(unit: &str) -> Option<Measure<'_>> {
    let mut found = Measure::default();
    if unit_is_valid(unit) {
        term(unit, 1, &mut found)?;
        found.dimensions.retain(|_, power| *power != 0);
        return Some(found);
    }
    None
}

/// Multiplies what a valid unit says into `into`, to the power of 1 or −1.
fn term<'a>(unit: &'a str, sign: i32, into: &mut Measure<'a>) -> Option<()> {
    let (mut rest, mut own) = unit.strip_prefix('/').map_or((unit, sign), |rest| (rest, -sign));
    loop {
        let after = component(rest, own, into)?;
        let Some(operator) = after.chars().next() else { return Some(()) };
        own = if operator == '/' { -sign } else { sign };
        rest = &after[1..];
    }
}

/// One component; what follows it is returned.
fn component<'a>(text: &'a str, sign: i32, into: &mut Measure<'a>) -> Option<&'a str> {
    let mut after = text;
    if text.starts_with('(') {
        let end = closing(text)?;
        term(&text[1..end], sign, into)?;
        after = &text[end + 1..];
    } else if !text.starts_with('{') {
        let end = simple_end(text);
        simple(&text[..end], sign, into)?;
        after = &text[end..];
    }
    Some(after.strip_prefix('{').and_then(|inside| inside.split_once('}')).map_or(after, |(_, rest)| rest))
}

fn closing(text: &str) -> Option<usize> {
    let mut open = 0;
    text.bytes().position(|byte| {
        open += i32::from(byte == b'(') - i32::from(byte == b')');
        open == 0
    })
}

fn simple_end(text: &str) -> usize {
    let mut inside = false;
    let end = text.bytes().position(|byte| {
        inside = (inside || byte == b'[') && byte != b']';
        !inside && matches!(byte, b'.' | b'/' | b'(' | b')' | b'{' | b'}')
    });
    end.unwrap_or(text.len())
}

/// A number, or an atom with prefix and exponent.
fn simple<'a>(text: &'a str, sign: i32, into: &mut Measure<'a>) -> Option<()> {
    if let Ok(number) = text.parse::<u32>() {
        into.factor = into.factor.times(Factor { over: number.into(), ..Factor::default() }, sign)?;
        return Some(());
    }
    if let Some(done) = atom(text, sign, into) {
        return done;
    }
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (base, exponent) = text.split_at(text.len() - digits);
    if let Some(exponent) = exponent.parse::<i32>().ok().filter(|power| *power <= 12) {
        let negative = base.strip_suffix('-');
        let base = negative.or_else(|| base.strip_suffix('+')).unwrap_or(base);
        let exponent = if negative.is_some() { -exponent } else { exponent };
        if let Some(done) = atom(base, exponent * sign, into) {
            return done;
        }
    }
    // Whatever else is valid stands for itself, prefix and exponent and all.
    raise(text, 0, sign, into)
}

/// Metric prefixes by their power of ten.
const PREFIXES: [(&str, i32); 20] = [
    ("Y", 24),
    ("Z", 21),
    ("E", 18),
    ("P", 15),
    ("T", 12),
    ("G", 9),
    ("M", 6),
    ("k", 3),
    ("h", 2),
    ("da", 1),
    ("d", -1),
    ("c", -2),
    ("m", -3),
    ("u", -6),
    ("n", -9),
    ("p", -12),
    ("f", -15),
    ("a", -18),
    ("z", -21),
    ("y", -24),
];

/// Atoms that are multiples of others: which, over, under, power of ten, and whether they take a prefix.
const DEFINED: [(&str, &str, i128, i128, i32, bool); 37] = [
    ("10*", "1", 1, 1, 1, false),
    ("10^", "1", 1, 1, 1, false),
    ("%", "1", 1, 1, -2, false),
    ("[ppth]", "1", 1, 1, -3, false),
    ("[ppm]", "1", 1, 1, -6, false),
    ("[ppb]", "1", 1, 1, -9, false),
    ("L", "m3", 1, 1, -3, true),
    ("l", "m3", 1, 1, -3, true),
    ("min", "s", 60, 1, 0, false),
    ("h", "s", 3_600, 1, 0, false),
    ("d", "s", 86_400, 1, 0, false),
    ("wk", "s", 604_800, 1, 0, false),
    ("a", "s", 31_557_600, 1, 0, false),
    ("a_j", "s", 31_557_600, 1, 0, false),
    ("mo", "s", 2_629_800, 1, 0, false),
    ("mo_j", "s", 2_629_800, 1, 0, false),
    ("Hz", "s-1", 1, 1, 0, true),
    ("N", "g.m.s-2", 1, 1, 3, true),
    ("Pa", "g.m-1.s-2", 1, 1, 3, true),
    ("bar", "g.m-1.s-2", 1, 1, 8, true),
    ("m[Hg]", "g.m-1.s-2", 133_322, 1, 3, true),
    ("m[H2O]", "g.m-1.s-2", 980_665, 1, 1, true),
    ("J", "g.m2.s-2", 1, 1, 3, true),
    ("cal", "g.m2.s-2", 4_184, 1, 0, true),
    ("[Cal]", "g.m2.s-2", 4_184, 1, 3, false),
    ("W", "g.m2.s-3", 1, 1, 3, true),
    ("eq", "mol", 1, 1, 0, true),
    ("osm", "mol", 1, 1, 0, true),
    ("kat", "mol.s-1", 1, 1, 0, true),
    ("U", "mol.s-1", 1, 60, -6, true),
    ("[iU]", "[IU]", 1, 1, 0, true),
    ("t", "g", 1, 1, 6, true),
    ("[in_i]", "m", 254, 1, -4, false),
    ("[ft_i]", "m", 3_048, 1, -4, false),
    ("[lb_av]", "g", 45_359_237, 1, -5, false),
    ("[oz_av]", "g", 28_349_523_125, 1, -9, false),
    ("[stone_av]", "g", 635_029_318, 1, -5, false),
];

/// Atoms that are multiples of no other and take a prefix.
const BASE: [&str; 9] = ["m", "g", "s", "mol", "K", "A", "cd", "[IU]", "By"];

/// Whether this is an atom that is known, and whether it could be taken in.
fn atom<'a>(text: &'a str, power: i32, into: &mut Measure<'a>) -> Option<Option<()>> {
    let whole = std::iter::once((text, 0));
    let prefixed = PREFIXES.iter().filter_map(|(prefix, ten)| Some((text.strip_prefix(prefix)?, *ten)));
    whole.chain(prefixed).find_map(|(name, ten)| {
        let is_whole = name.len() == text.len();
        let defined = DEFINED.iter().find(|(own, .., metric)| *own == name && (*metric || is_whole));
        match defined {
            Some(defined) => Some(define(defined, ten, power, into)),
            None => BASE.contains(&name).then(|| raise(name, ten, power, into)),
        }
    })
}

fn define<'a>(
    (_, of, over, under, ten, _): &(&str, &'static str, i128, i128, i32, bool),
    prefix: i32,
    power: i32,
    into: &mut Measure<'a>,
) -> Option<()> {
    let factor = Factor { over: *over, under: *under, ten: ten + prefix };
    into.factor = into.factor.times(factor, power)?;
    let mut inner = Measure::default();
    term(of, 1, &mut inner)?;
    for (name, own) in inner.dimensions {
        *into.dimensions.entry(name).or_default() += own.checked_mul(power)?;
    }
    Some(())
}

fn raise<'a>(name: &'a str, prefix: i32, power: i32, into: &mut Measure<'a>) -> Option<()> {
    into.factor = into.factor.times(Factor { ten: prefix, ..Factor::default() }, power)?;
    *into.dimensions.entry(name).or_default() += power;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        conversion(one, other) == Some(Factor::default())
    }

    #[test]
    fn units_that_measure_the_same_compare() {
        for (one, other) in [
            ("10*3/uL", "/nL"),
            ("10*3/uL", "10*9/L"),
            ("10*3/mm3", "10*3/uL"),
            ("10*3/uL", "10*3{cells}/uL"),
            ("mg/dl", "mg/dL"),
            ("{beats}/min", "/min"),
            ("mL/min/{1.73_m2}", "mL/min"),
            ("m[IU]/L", "u[iU]/mL"),
            ("meq/L", "mmol/L"),
            ("ng/mL", "ug/L"),
            ("kg/m2", "kg.m-2"),
            ("{INR}", "1"),
            ("%", "10*-2"),
            ("U/L", "umol/min/L"),
            ("mm[Hg]", "mm[Hg]"),
            ("(mg)/(dL)", "mg/dL"),
            ("mg/g{creat}", "[ppth]"),
        ] {
            assert!(same(one, other) && same(other, one), "{one} and {other}");
        }
    }

    #[test]
    fn what_measures_something_else_does_not() {
        for (one, other) in [
            ("mg/dL", "mmol/L"),
            ("Cel", "[degF]"),
            ("kg", "m"),
            ("U/L", "[IU]/L"),
            ("mg", "mg/d"),
            ("lbs", "[lb_av]"),
            ("%", "%{a}b"),
        ] {
            assert_eq!(conversion(one, other), None, "{one} and {other}");
        }
    }

    #[test]
    fn amounts_are_converted_without_loss() {
        let between = |from, to, milli, range| conversion(from, to).unwrap().puts_between(milli, range);
        assert!(between("L/L", "%", 450, [44_999, 45_001]));
        assert!(between("[in_i]", "cm", 70_000, [177_800, 177_800]));
        assert!(between("g/L", "g/dL", 140_000, [14_000, 14_000]));
        assert!(!between("g/L", "g/dL", 140_001, [14_000, 14_000]));
        assert!(between("kPa", "mm[Hg]", 16_000, [120_010, 120_011]));
        // What does not fit is not between, and a factor beyond all use is none.
        assert!(!between("Gm", "nm", i64::MAX, [0, i64::MAX]));
        assert_eq!(conversion("Ym", "ym"), None);
    }
}

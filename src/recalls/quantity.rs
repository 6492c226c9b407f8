//! Decimal quantities as they stand in the records, added and compared exactly, and the share one is of another.

/// Millionths in one: orders keep at most six places.
const ONE: i128 = 1_000_000;

/// A quantity that is not negative, in millionths of its unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(i128);

impl Quantity {
    /// Reads digits with at most six places; none for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, places) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(places) || places.len() > 6 {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let places: i128 = format!("{places:0<6}").parse().ok()?;
        whole.checked_mul(ONE)?.checked_add(places).map(Self)
    }

    /// The share in percent that this is of `whole`, with one place, never rounded up: 100 means all of it. The share
    /// of nothing is 100: there was nothing to bring back.
    pub fn percent_of(self, whole: Self) -> String {
        if whole.0 == 0 {
            return "100".to_owned();
        }
        let tenths = self.0.saturating_mul(1000) / whole.0;
        if tenths % 10 == 0 { (tenths / 10).to_string() } else { format!("{}.{}", tenths / 10, tenths % 10) }
    }
}

impl std::iter::Sum for Quantity {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        Self(all.fold(0, |sum, one| sum.saturating_add(one.0)))
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, places) = (self.0 / ONE, self.0 % ONE);
        if places == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{places:06}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quantity(text: &str) -> Quantity {
        Quantity::parse(text).unwrap()
    }

    #[test]
    fn a_share_is_never_rounded_up_to_all() {
        for (part, whole, percent) in [
            ("1570", "2000", "78.5"),
            ("0", "2000", "0"),
            ("2000", "2000.000", "100"),
            ("1999.999999", "2000", "99.9"),
            ("1", "3", "33.3"),
            ("0", "0", "100"),
        ] {
            assert_eq!(quantity(part).percent_of(quantity(whole)), percent, "{part} of {whole}");
        }
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        for text in ["", ".", "1.", ".5", "-1", "+1", "1e3", "1,000", "0.1234567", "１"] {
            assert_eq!(Quantity::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(millionths in 0_i128..=999_999_999_999_999_999_999) {
            let written = Quantity(millionths).to_string();
            prop_assert_eq!(Quantity::parse(&written), Some(Quantity(millionths)));
        }
    }
}

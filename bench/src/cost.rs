//! What a request costs in instructions.

use std::ops::Sub;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// All but what the C library's allocator takes.
    pub instructions: i64,
    /// What the C library's allocator takes.
    pub allocator: i64,
}

impl Sub for Cost {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            instructions: self.instructions - other.instructions,
            allocator: self.allocator - other.allocator,
        }
    }
}

impl Cost {
    /// One part of as many equal ones, to the nearest instruction.
    pub fn divided_by(self, parts: i64) -> Self {
        let divide = |sum: i64| (sum + parts / 2).div_euclid(parts);
        Self {
            instructions: divide(self.instructions),
            allocator: divide(self.allocator),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cost;

    #[test]
    fn a_part_is_rounded_to_the_nearest_instruction() {
        let cost = |instructions, allocator| Cost {
            instructions,
            allocator,
        };
        assert_eq!(cost(149, -149).divided_by(100), cost(1, -1));
        assert_eq!(cost(151, -151).divided_by(100), cost(2, -2));
    }
}

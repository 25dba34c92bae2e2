//! What has been learnt of each neighbourhood (T.87 A.2, A.6).

/// T.87 C.2.4.1.1.1.
pub(super) const RESET: i32 = 64;

/// Sums over what one context has seen: A, B, C and N of T.87 A.2.1; `n_negative` is Nn of the run contexts.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub a: i32,
    pub b: i32,
    pub c: i32,
    pub n: i32,
    pub n_negative: i32,
}

impl Context {
    /// T.87 A.6.
    pub fn learn(&mut self, error: i32, step: i32) {
        self.b += error * step;
        self.a += error.abs();
        if self.n == RESET {
            self.a >>= 1;
            self.b >>= 1;
            self.n >>= 1;
        }
        self.n += 1;
        if self.b <= -self.n {
            self.b = (self.b + self.n).max(1 - self.n);
            self.c = (self.c - 1).max(-128);
        } else if self.b > 0 {
            self.b = (self.b - self.n).min(0);
            self.c = (self.c + 1).min(127);
        }
    }
}

/// T.87 C.2.4.1.1.1, the defaults.
pub(super) fn thresholds(max: i32, near: i32) -> [i32; 3] {
    let clamp = |value: i32, least: i32| if value > max || value < least { least } else { value };
    let basic = if max >= 128 {
        let factor = (max.min(4095) + 128) / 256;
        [factor + 2 + 3 * near, 4 * factor + 3 + 5 * near, 17 * factor + 4 + 7 * near]
    } else {
        let factor = 256 / (max + 1);
        [(3 / factor + 3 * near).max(2), (7 / factor + 5 * near).max(3), (21 / factor + 7 * near).max(4)]
    };
    let t1 = clamp(basic[0], near + 1);
    let t2 = clamp(basic[1], t1);
    [t1, t2, clamp(basic[2], t2)]
}

//! A small JPEG encoder (T.81) for pictures of known samples.

/// Bits of coded data, high ones first, bytes of ones stuffed.
#[derive(Default)]
pub struct Bits {
    bytes: Vec<u8>,
    held: u32,
    n_held: u32,
}

impl Bits {
    pub fn put(&mut self, bits: u32, n: u32) {
        for place in (0..n).rev() {
            self.held = self.held << 1 | (bits >> place & 1);
            self.n_held += 1;
            if self.n_held == 8 {
                self.bytes.push(self.held as u8);
                if self.held == 0xFF {
                    self.bytes.push(0);
                }
                (self.held, self.n_held) = (0, 0);
            }
        }
    }

    /// Fills the last byte with ones.
    pub fn align(&mut self) {
        while self.n_held > 0 {
            self.put(1, 1);
        }
    }

    pub fn restart(&mut self, number: usize) {
        self.align();
        self.bytes.extend([0xFF, 0xD0 + (number % 8) as u8]);
    }

    pub fn finish(mut self) -> Vec<u8> {
        self.align();
        self.bytes
    }
}

/// A Huffman table of a simple rule.
#[derive(Clone, Copy, PartialEq)]
pub enum Codes {
    /// Symbols 0 to 254 are their own codes of 8 bits.
    Plain,
    /// Symbols 0 to 16 are their own codes of 5 bits.
    Sizes,
    /// Symbol n, up to 15, is n ones and a zero: codes of 1 to 16 bits.
    Unary,
}

impl Codes {
    fn put(self, symbol: u32, bits: &mut Bits) {
        match self {
            Self::Plain => bits.put(symbol, 8),
            Self::Sizes => bits.put(symbol, 5),
            Self::Unary => bits.put((1 << (symbol + 1)) - 2, symbol + 1),
        }
    }

    fn segment(self, class_and_slot: u8) -> Vec<u8> {
        let mut body = vec![class_and_slot];
        match self {
            Self::Plain => {
                body.extend([0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 0]);
                body.extend(0..255);
            }
            Self::Sizes => {
                body.extend([0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
                body.extend(0..17);
            }
            Self::Unary => {
                body.extend([1; 16]);
                body.extend(0..16);
            }
        }
        segment(0xC4, &body)
    }
}

pub fn segment(marker: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0xFF, marker];
    bytes.extend((body.len() as u16 + 2).to_be_bytes());
    bytes.extend(body);
    bytes
}

/// Writes the symbol that states a number's size, `above` in its upper half, and the number.
fn put_number(codes: Codes, above: u32, number: i32, bits: &mut Bits) {
    let size = 32 - number.unsigned_abs().leading_zeros();
    codes.put(above << 4 | size, bits);
    bits.put((if number < 0 { number - 1 } else { number }) as u32, size);
}

/// A lossless picture and how to write it.
#[derive(Clone)]
pub struct Lossless {
    pub width: usize,
    pub bits: u8,
    pub n_components: usize,
    pub predictor: u8,
    pub shift: u8,
    /// Rows between restart markers, 0 for none.
    pub restart_rows: usize,
    pub is_interleaved: bool,
    pub codes: Codes,
}

impl Lossless {
    pub fn frame(&self, height: usize) -> Vec<u8> {
        let mut frame = vec![self.bits];
        frame.extend((height as u16).to_be_bytes());
        frame.extend((self.width as u16).to_be_bytes());
        frame.push(self.n_components as u8);
        frame.extend((0..self.n_components as u8).flat_map(|id| [id, 0x11, 0]));
        segment(0xC3, &frame)
    }

    /// Writes `[height, width, components]`, each sample without its lowest `shift` bits.
    pub fn write(&self, samples: &[u16]) -> Vec<u8> {
        let height = samples.len() / self.width / self.n_components;
        let mut bytes = vec![0xFF, 0xD8];
        bytes.extend(self.frame(height));
        bytes.extend(self.codes.segment(0x00));
        let interval = (self.restart_rows * self.width) as u16;
        if interval > 0 {
            bytes.extend(segment(0xDD, &interval.to_be_bytes()));
        }
        let all: Vec<usize> = (0..self.n_components).collect();
        for components in all.chunks(if self.is_interleaved { self.n_components } else { 1 }) {
            let mut scan = vec![components.len() as u8];
            scan.extend(components.iter().flat_map(|id| [*id as u8, 0]));
            scan.extend([self.predictor, 0, self.shift]);
            bytes.extend(segment(0xDA, &scan));
            bytes.extend(self.scan(samples, height, components));
        }
        bytes.extend([0xFF, 0xD9]);
        bytes
    }

    fn scan(&self, samples: &[u16], height: usize, components: &[usize]) -> Vec<u8> {
        let at = |x: usize, y: usize, component: usize| {
            i32::from(samples[(y * self.width + x) * self.n_components + component] >> self.shift)
        };
        let mut bits = Bits::default();
        for y in 0..height {
            let is_restart = self.restart_rows > 0 && y % self.restart_rows == 0;
            if is_restart && y > 0 {
                bits.restart(y / self.restart_rows - 1);
            }
            let is_first = y == 0 || is_restart;
            for x in 0..self.width {
                for &component in components {
                    let predicted = match (x, is_first) {
                        (0, true) => 1 << (self.bits - self.shift - 1),
                        (0, false) => at(0, y - 1, component),
                        (_, true) => at(x - 1, y, component),
                        _ => {
                            let (a, b) = (at(x - 1, y, component), at(x, y - 1, component));
                            let c = at(x - 1, y - 1, component);
                            match self.predictor {
                                1 => a,
                                2 => b,
                                3 => c,
                                4 => a + b - c,
                                5 => a + ((b - c) >> 1),
                                6 => b + ((a - c) >> 1),
                                _ => (a + b) >> 1,
                            }
                        }
                    };
                    match (at(x, y, component) - predicted) as i16 {
                        i16::MIN => self.codes.put(16, &mut bits),
                        difference => put_number(self.codes, 0, i32::from(difference), &mut bits),
                    }
                }
            }
        }
        bits.finish()
    }
}

/// How blocks are written.
#[derive(Clone, Copy, PartialEq)]
pub enum Blocks {
    /// SOF1, with 63 as the last coefficient of the scan, or with 0 as some encoders of 12 bits write.
    Extended { last: u8 },
    /// SOF2: the first coefficients, then the others.
    Progressive,
}

/// By zigzag index: the place in rows of 8.
fn zigzag() -> Vec<usize> {
    let mut places: Vec<usize> = (0..64).collect();
    // Along diagonals, every other one upward.
    places.sort_by_key(|place| {
        let (y, x) = (place / 8, place % 8);
        (x + y, if (x + y) % 2 == 0 { x } else { y })
    });
    places
}

/// Writes one component of 12 bits, quantized by 1, so that only rounding is lost.
pub fn write_12_bits(samples: &[u16], width: usize, blocks: Blocks) -> Vec<u8> {
    let height = samples.len() / width;
    let coefficients = forward(samples, width, height);
    let mut bytes = vec![0xFF, 0xD8];
    bytes.extend(segment(0xDB, &[&[0][..], &[1; 64]].concat()));
    let mut frame = vec![12];
    frame.extend((height as u16).to_be_bytes());
    frame.extend((width as u16).to_be_bytes());
    frame.extend([1, 1, 0x11, 0]);
    bytes.extend(segment(if blocks == Blocks::Progressive { 0xC2 } else { 0xC1 }, &frame));
    bytes.extend(Codes::Unary.segment(0x00));
    bytes.extend(Codes::Plain.segment(0x10));
    let mut scan = |first: u8, last: u8, has_dc: bool, has_ac: bool| {
        bytes.extend(segment(0xDA, &[1, 1, 0, first, last, 0]));
        let mut bits = Bits::default();
        let mut before = 0;
        for block in &coefficients {
            if has_dc {
                put_number(Codes::Unary, 0, block[0] - before, &mut bits);
                before = block[0];
            }
            if has_ac {
                put_others(&block[1..], &mut bits);
            }
        }
        bytes.extend(bits.finish());
    };
    match blocks {
        Blocks::Extended { last } => scan(0, last, true, true),
        Blocks::Progressive => {
            scan(0, 0, true, false);
            scan(1, 63, false, true);
        }
    }
    bytes.extend([0xFF, 0xD9]);
    bytes
}

fn put_others(coefficients: &[i32], bits: &mut Bits) {
    let mut run = 0;
    for value in coefficients {
        if *value == 0 {
            run += 1;
            continue;
        }
        while run > 15 {
            Codes::Plain.put(0xF0, bits);
            run -= 16;
        }
        put_number(Codes::Plain, run, *value, bits);
        run = 0;
    }
    if run > 0 {
        Codes::Plain.put(0, bits);
    }
}

/// The blocks of a picture, edges repeated, transformed as T.81 defines it (A.3.3), in zigzag order.
fn forward(samples: &[u16], width: usize, height: usize) -> Vec<[i32; 64]> {
    let basis = |x: usize, u: usize| {
        let scale = if u == 0 { (0.125_f64).sqrt() } else { 0.5 };
        scale * ((2 * x + 1) as f64 * u as f64 * std::f64::consts::PI / 16.0).cos()
    };
    let zigzag = zigzag();
    let mut blocks = Vec::new();
    for down in 0..height.div_ceil(8) {
        for across in 0..width.div_ceil(8) {
            let at = |x: usize, y: usize| {
                let (x, y) = ((across * 8 + x).min(width - 1), (down * 8 + y).min(height - 1));
                f64::from(samples[y * width + x]) - 2048.0
            };
            blocks.push(std::array::from_fn(|index| {
                let (v, u) = (zigzag[index] / 8, zigzag[index] % 8);
                let sum: f64 = (0..64).map(|p| at(p % 8, p / 8) * basis(p % 8, u) * basis(p / 8, v)).sum();
                sum.round() as i32
            }));
        }
    }
    blocks
}

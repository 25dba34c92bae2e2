use lightbox_intake::dicom::*;
fn dump(ds: &Dataset<'_>, path: &str, out: &mut String) {
    let mut els: Vec<_> = ds.iter().collect();
    els.sort_by_key(|e| e.tag);
    for e in els {
        let t = format!("{}{:04X}{:04X}", path, e.tag.0, e.tag.1);
        match &e.value {
            Value::Items(it) => {
                out.push_str(&format!("{t} SQ {}\n", it.len()));
                for (i, d) in it.iter().enumerate() {
                    dump(d, &format!("{t}[{i}]."), out)
                }
            }
            Value::Bytes(b) => {
                let txt = if matches!(
                    e.vr,
                    VR::PN | VR::LO | VR::SH | VR::LT | VR::ST | VR::UT | VR::UC | VR::CS | VR::UI | VR::DA
                ) {
                    format!("{:?}", ds.texts_of(e))
                } else if matches!(e.vr, VR::US | VR::SS | VR::UL | VR::SL | VR::IS) {
                    format!("{:?}", ds.ints(e.tag).map_err(|e| e.to_string()))
                } else if matches!(e.vr, VR::DS | VR::FD | VR::FL) {
                    format!("{:?}", ds.decimals(e.tag).map_err(|e| e.to_string()))
                } else {
                    String::new()
                };
                out.push_str(&format!("{t} {} {} {txt}\n", e.vr.to_string(), b.len()))
            }
            Value::Fragments(f) => {
                out.push_str(&format!("{t} {} frag {}\n", e.vr.to_string(), f.fragments.len()))
            }
            Value::Cut(c) => {
                out.push_str(&format!("{t} {} cut {} {}\n", e.vr.to_string(), c.found.len(), c.expected))
            }
        }
    }
}
fn main() {
    for line in std::io::read_to_string(std::io::stdin()).unwrap().lines() {
        let b = std::fs::read(line).unwrap();
        let mut out = String::new();
        if !File::is_dicom(&b[..b.len().min(4096)]) {
            out.push_str("NOTDICOM\n");
        } else {
            match File::read(&b) {
                Err(e) => out.push_str(&format!("ERR {e}\n")),
                Ok(f) => match f.dataset() {
                    Err(e) => out.push_str(&format!("ERR {e}\n")),
                    Ok(ds) => {
                        for n in f.notes().iter().chain(ds.notes()) {
                            out.push_str(&format!("NOTE {n}\n"));
                        }
                        dump(&ds, "", &mut out);
                        if ds.get(tags::ROWS).is_some() {
                            let g = |t| ds.uint(t).ok().flatten().unwrap_or(1) as u64;
                            let pi =
                                ds.text(tags::PHOTOMETRIC_INTERPRETATION).ok().flatten().unwrap_or_default();
                            let mut bits = g(tags::ROWS)
                                * g(tags::COLUMNS)
                                * g(tags::SAMPLES_PER_PIXEL)
                                * g(tags::BITS_ALLOCATED);
                            if pi == "YBR_FULL_422" && !f.syntax().is_encapsulated() {
                                bits = bits / 3 * 2;
                            }
                            let n =
                                ds.int(tags::NUMBER_OF_FRAMES).ok().flatten().unwrap_or(1).max(1) as usize;
                            match PixelBytes::of(&ds, f.syntax(), n, bits) {
                                Err(e) => out.push_str(&format!("PIX ERR {e}\n")),
                                Ok(p) => {
                                    for n in p.notes() {
                                        out.push_str(&format!("PIXNOTE {n}\n"));
                                    }
                                    let mut l = vec![];
                                    for k in 0..p.n_frames() {
                                        l.push(
                                            p.frame(k)
                                                .map(|b| {
                                                    let mut h = 0xcbf29ce484222325u64;
                                                    for x in b.iter() {
                                                        h = (h ^ *x as u64).wrapping_mul(0x100000001b3);
                                                    }
                                                    format!("{}:{h:x}", b.len())
                                                })
                                                .unwrap_or_else(|e| e.to_string()),
                                        );
                                    }
                                    out.push_str(&format!("PIX {} {}\n", p.n_frames(), l.join(" ")));
                                }
                            }
                        }
                    }
                },
            }
        }
        println!("=== {line}\n{out}");
    }
}

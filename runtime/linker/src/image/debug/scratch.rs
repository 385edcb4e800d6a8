//! scratch
#[test]
fn dump() {
    let Ok(path) = std::env::var("DUMP") else { return };
    let bytes = std::fs::read(path).unwrap();
    let mut custom = std::collections::HashMap::new();
    for payload in wasmparser::Parser::new(0).parse_all(&bytes) {
        if let wasmparser::Payload::CustomSection(c) = payload.unwrap() { custom.insert(c.name(), c.data()); }
    }
    let t = std::time::Instant::now();
    let facts = super::read(|n| custom.get(n).copied()).unwrap();
    println!("read in {:?}", t.elapsed());
    println!("types {} layouts {} variables {} functions {} vtables {} producers {:?}", facts.types.len(), facts.types.values().map(|l| l.len()).sum::<usize>(), facts.variables.len(), facts.functions.len(), facts.vtables.len(), facts.producers);
    println!("several layouts: {:?}", facts.types.iter().filter(|(_, l)| l.len() > 1).map(|(n, _)| n).collect::<Vec<_>>());
    println!("numbered types: {} {:?}", facts.types.keys().filter(|n| super::is_numbered(n)).count(), facts.types.keys().filter(|n| super::is_numbered(n)).take(5).collect::<Vec<_>>());
    println!("several signatures: {:?}", facts.functions.iter().filter(|(_, l)| l.signatures.len() > 1).map(|(n, f)| (n, &f.signatures)).take(5).collect::<Vec<_>>());
    println!("{:?}", facts.crates);
    let filter = std::env::var("FILTER").unwrap_or_default();
    if filter.is_empty() { return; }
    for v in &facts.variables { println!("{v:?}"); }
    for v in &facts.vtables { println!("{v:?}"); }
    for (n, l) in facts.types.iter().filter(|(n, _)| n.contains(&filter)) { println!("TYPE {n} {l:#?}"); }
    for (n, l) in facts.functions.iter().filter(|(n, _)| n.contains(&filter)) { println!("FN {n} {l:?}"); }
}

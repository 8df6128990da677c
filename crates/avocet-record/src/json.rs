//! Finding values within JSON.

use serde_json::Value;

/// Every value that is wanted, those within lists in their order. What lies inside a wanted value is its own.
pub fn pick(value: &mut Value, wanted: impl Fn(&Value) -> bool) -> Vec<&mut Value> {
    let mut found = vec![];
    let mut todo = vec![value];
    while let Some(value) = todo.pop() {
        match value {
            value if wanted(value) => found.push(value),
            Value::Array(items) => todo.extend(items.iter_mut().rev()),
            Value::Object(map) => todo.extend(map.values_mut()),
            _ => {}
        }
    }
    found
}

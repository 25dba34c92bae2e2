//! Operating-system calls: memory maps, huge-page arenas, CPU and memory facts.

// Arbiter

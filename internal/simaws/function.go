package simaws

// Function is who the key [FunctionKey] is.
func (s *Sim) Function() Identity { return s.cfg.Function }

"""The outcome benchmark: does the chosen loss train as good a model as the best loss in hindsight?"""

"""Where does the best loss change as one property of the data does, and does the policy change there?"""
